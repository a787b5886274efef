/** The encoding of a text: one byte for each character below U+0080; UTF-8; UTF-16LE if there are lone surrogates. */
export const TEXT = { ascii: 0, utf8: 1, utf16: 2 } as const
