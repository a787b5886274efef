/** `watch`: prints changes as they happen. One pattern at a time: another `watch` replaces it. */
import type { Subscription } from 'rxjs'
import type { AnyCache } from '../journal/any-cache.js'
import { changeText } from '../terminal/change-text.js'
import type { Colors } from '../terminal/printable.js'
import { VALUE_LENGTH_MAX } from '../terminal/show-value.js'

export class Watching {
  readonly #cache: AnyCache
  readonly #colors: Colors
  readonly #print: (line: string) => void
  #subscription: Subscription | undefined

  constructor(cache: AnyCache, colors: Colors, print: (line: string) => void) {
    this.#cache = cache
    this.#colors = colors
    this.#print = print
  }

  get isOn(): boolean {
    return this.#subscription !== undefined
  }

  start(pattern: string): void {
    this.stop()
    this.#subscription = this.#cache.watch(pattern).subscribe((change) => {
      this.#print(changeText(change, { colors: this.#colors, valueLengthMax: VALUE_LENGTH_MAX }))
    })
  }

  stop(): void {
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
  }
}
