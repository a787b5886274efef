/**
 * Notes: what the journal keeps beside its events, without a sequence. A client of another process numbers its changing
 * commands. The frame of a change also says which answer its command got, so that the same number, asked again after the owner
 * has died, gets the same answer and changes nothing.
 */

/** Stands for an answer that is too large to be kept: the command has taken effect, once. */
export const DONE = Symbol('done')

/** An answer as it is kept: a primitive, or the bytes of anything else. */
export type Answer = undefined | null | boolean | number | string | bigint | Uint8Array | typeof DONE

/** A command of a client, and the last one that the client has all answers to. */
export interface NumberedCommand {
  /** 16 hexadecimal digits, random. */
  readonly client: string
  readonly number: number
  readonly received: number
}

export interface AnsweredNote extends NumberedCommand {
  readonly type: 'answered'
  /** Of an increment, known only when it has been decided. */
  answer: Answer
}

/** The client is gone, and will not ask again. */
export interface ForgottenNote {
  readonly type: 'forgotten'
  readonly client: string
}

export type Note = AnsweredNote | ForgottenNote

/** An answer with more bytes is kept as {@link DONE}. */
export const ANSWER_BYTES_MAX = 64 * 1024
/** Bytes of all answers that are kept for one client. Beyond that, an answer is kept as {@link DONE}. */
export const ANSWERS_BYTES_MAX = 64 * 1024 * 1024

/** Approximately how many bytes of memory an answer takes. */
export function bytesOf(answer: Answer): number {
  if (typeof answer === 'string') return 16 + 2 * answer.length
  return answer instanceof Uint8Array ? 16 + answer.length : 16
}
