/** Generated parts of pages that are otherwise written by hand: between `<!-- bench: NAME -->` and `<!-- end of bench: NAME -->`. */
export function putBetween(page, name, content) {
  const begin = `<!-- bench: ${name} -->`
  const end = `<!-- end of bench: ${name} -->`
  const [before, rest, ...others] = page.split(begin)
  const after = rest?.split(end)
  if (others.length > 0 || after?.length !== 2)
    throw new Error(`the page needs '${begin}' and, behind it, '${end}', once each`)
  return `${before}${begin}\n${content.trim()}\n${end}${after[1]}`
}

/** The names of all parts of a page. */
export const partsOf = (page) => [...page.matchAll(/<!-- bench: (.+?) -->/g)].map(([, name]) => name)
