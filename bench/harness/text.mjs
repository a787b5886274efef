const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789 .-ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** A flat string, like text that was read. */
export function text(length, random) {
  let made = ''
  for (let place = 0; place < length; place++) made += LETTERS[Math.floor(random() * LETTERS.length)]
  return Buffer.from(made, 'latin1').toString('latin1')
}
