/* Search in pages that are opened from a folder, where browsers start no worker: an iframe takes its place. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.frame = frame.contentWindow
      const answer = data => this.answer(data)
      this.ready = new Promise(resolve => {
        const inside = this.frame.document
        inside.open()
        inside.write("<!doctype html><html><head></head><body></body></html>")
        inside.close()
        // What a worker's code expects to find.
        this.frame.postMessage = answer
        this.frame.importScripts = (...urls) =>
          urls.reduce((before, next) => before.then(() => this.load(next)), Promise.resolve())
        resolve(this.load(url))
      })
    }

    load(url) {
      return new Promise((resolve, reject) => {
        const script = this.frame.document.createElement("script")
        script.src = url
        script.onload = resolve
        script.onerror = reject
        this.frame.document.body.appendChild(script)
      })
    }

    answer(data) {
      const event = new MessageEvent("message", { data })
      this.dispatchEvent(event)
      if (typeof this.onmessage === "function") this.onmessage(event)
    }

    postMessage(data) {
      this.ready.then(() => this.frame.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {
      this.frame.frameElement.remove()
    }
  }
}
