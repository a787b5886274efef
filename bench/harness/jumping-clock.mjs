/** The real clock, but it can be set forward: pending timers then have that much less to wait. So nothing waits for a deadline. */
export class JumpingClock {
  #aheadMs = 0
  #timers = new Set()

  now = () => Date.now() + this.#aheadMs

  setTimeout = (callback, delayMs, keepsAlive = false) => {
    const timer = { dueMs: this.now() + delayMs, callback, keepsAlive }
    this.#timers.add(timer)
    this.#arm(timer)
    return timer
  }

  clearTimeout = (timer) => {
    if (timer === undefined) return
    clearTimeout(timer.handle)
    this.#timers.delete(timer)
  }

  jump(ms) {
    this.#aheadMs += ms
    for (const timer of this.#timers) {
      clearTimeout(timer.handle)
      this.#arm(timer)
    }
  }

  #arm(timer) {
    timer.handle = setTimeout(
      () => {
        this.#timers.delete(timer)
        timer.callback()
      },
      Math.max(0, timer.dueMs - this.now()),
    )
    if (!timer.keepsAlive) timer.handle.unref()
  }
}
