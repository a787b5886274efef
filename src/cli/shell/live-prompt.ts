/**
 * The prompt with live stats: it follows `stats$` and `lifecycle$` and is redrawn when they change, without disturbing what is
 * being typed.
 */
import { clearScreenDown, cursorTo, type Interface, moveCursor } from 'node:readline'
import type { Subscription } from 'rxjs'
import type { LifecycleState } from '../../cache/actor/lifecycle.js'
import type { Stats } from '../../cache/streams/stats.js'
import type { AnyCache } from '../journal/any-cache.js'
import { output } from '../terminal/output.js'
import { type Colors, printable } from '../terminal/printable.js'
import { showCount, showCountOf, showPercent } from '../terminal/quantities.js'

export class LivePrompt {
  readonly #readline: Interface
  readonly #colors: Colors
  readonly #subscriptions: Subscription[] = []
  #stats: Stats | undefined
  #lifecycle: LifecycleState | undefined
  #drawn = ''
  /** Whether the user may be typing: not while a command runs. */
  #isOpen = false

  constructor(readline: Interface, cache: AnyCache, colors: Colors) {
    this.#readline = readline
    this.#colors = colors
    this.#subscriptions.push(
      cache.stats$.subscribe((stats) => {
        this.#stats = stats
        this.#refresh()
      }),
      cache.lifecycle$.subscribe((lifecycle) => {
        const isNewState = lifecycle.state !== this.#lifecycle?.state
        this.#lifecycle = lifecycle
        if (isNewState && lifecycle.state === 'read-only')
          this.printAbove(this.#colors.red(`read-only: ${lifecycle.reason}`))
        this.#refresh()
      }),
    )
  }

  /** Asks for a line. `stats` are the current ones, so that a command's effect shows at once. */
  open(stats: Stats): void {
    this.#stats = stats
    this.#isOpen = true
    this.#drawn = this.#text()
    this.#readline.setPrompt(this.#drawn)
    this.#readline.prompt()
  }

  /** A line was entered. */
  close(): void {
    this.#isOpen = false
  }

  end(): void {
    this.#isOpen = false
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
  }

  /** Prints a line, above what is being typed. */
  printAbove(line: string): void {
    if (!this.#isOpen) {
      output.line(line)
      return
    }
    const { rows } = this.#readline.getCursorPos()
    moveCursor(process.stdout, 0, -rows)
    cursorTo(process.stdout, 0)
    clearScreenDown(process.stdout)
    output.line(line)
    // Readline moves up by the rows that it drew last time; they have been cleared.
    Object.assign(this.#readline, { prevRows: 0 })
    this.#readline.prompt(true)
  }

  #refresh(): void {
    if (!this.#isOpen) return
    const text = this.#text()
    if (text === this.#drawn) return
    this.#drawn = text
    this.#readline.setPrompt(text)
    this.#readline.prompt(true)
  }

  #text(): string {
    const { dim, red } = this.#colors
    const stats = this.#stats
    if (stats === undefined) return 'daybook> '
    const parts = [showCountOf(stats.size, 'entry', 'entries')]
    if (stats.hits + stats.misses > 0) parts.push(`${showPercent(stats.hitRatio)} hits`)
    if (stats.expirations > 0) parts.push(`${showCount(stats.expirations)} expired`)
    if (stats.evictions > 0) parts.push(`${showCount(stats.evictions)} evicted`)
    const lifecycle = this.#lifecycle
    if (lifecycle?.state === 'compacting') parts.push(`compacting ${showCount(lifecycle.done ?? 0)}`)
    const state = lifecycle?.state === 'read-only' ? red(' READ-ONLY') : ''
    return printable(`daybook ${dim(parts.join(', '))}${state}> `)
  }
}
