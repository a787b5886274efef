import { ValueError } from '../../errors.js'

/**
 * The error for a pickle that cannot be loaded.
 *
 * @param what what was found: `the opcode 0xff is not one of pickle's`
 * @param at bytes from the start of the pickle
 * @param advice a sentence
 */
export function refusal(
  what: string,
  at: number,
  advice = "Load a file of plain data, as daybook's save or Python's pickle.dump writes it.",
): ValueError {
  return new ValueError(`Cannot load this pickle: ${what} (byte ${at})`, {
    consequence: 'Nothing in it was executed, and nothing was changed.',
    advice,
  })
}
