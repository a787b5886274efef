import { CacheError } from '../../errors.js'
import { VERSION } from './format.js'

/** What a newer daybook wrote and this one does not know. It is not damage, and must not be skipped. */
export class NewerFormatError extends CacheError {
  readonly what: string

  /** @param what Without a full stop. */
  constructor(what: string, cause?: unknown) {
    super('UNSUPPORTED_VERSION', `${what}, but this daybook knows only the format up to version ${VERSION}`, {
      advice: 'Use a newer daybook.',
      ...(cause === undefined ? {} : { cause }),
    })
    this.what = what
  }

  /** The same, with the place. */
  at(file: string, offset: number): NewerFormatError {
    return new NewerFormatError(`${file} holds ${this.what} in the frame at byte ${offset}`, this)
  }
}
