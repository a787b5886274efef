/** `docs/errors.md`, made from the table in `src/errors.ts`. Run as a program (`npm run docs`) it writes the page. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ERRORS } from '../../src/errors.js'

/** Compiled, this file is dist/test/helpers/errors-page.js. */
export const ERRORS_PAGE = fileURLToPath(new URL('../../../docs/errors.md', import.meta.url))

export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { classes, message, consequence, advice }]) =>
      `| \`${code}\` | ${classes.map((name) => `\`${name}\``).join(', ')} | ${message} | ${consequence} | ${advice} |`,
  )
  return `# Errors

Generated from the table in \`src/errors.ts\` by \`npm run docs\`; do not edit.

An error that daybook raises itself is a \`CacheError\` or one of its subclasses. Its \`code\` is stable and meant to be compared; its
\`message\` says what happened (which key, which file, why), what that means for the data, and what to do, and may be reworded. A
\`cause\` is the error behind it, if there is one. Wrong arguments are native \`TypeError\`s and \`RangeError\`s without a code, and
change nothing.

\`\`\`ts
try {
  cache.set('user:1', user)
} catch (error) {
  if (error instanceof CacheError && error.code === 'JOURNAL_WRITE_FAILED') …
}
\`\`\`

| code | class | what happened | what it means for the data | what to do |
|---|---|---|---|---|
${rows.join('\n')}

A message may be more specific than this table. \`CorruptionError\` also has \`file\`, \`offset\` (bytes), \`sequence\` and \`reason\`.
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ERRORS_PAGE, errorsPage())
