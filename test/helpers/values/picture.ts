/** A value as a text in which everything shows that a copy has to keep: kinds, order, holes, −0, which parts are the same. */
import { types } from 'node:util'

export function picture(value: unknown): string {
  const numbers = new Map<object, number>()
  const draw = (part: unknown): string => {
    if (typeof part === 'string') return JSON.stringify(part)
    if (typeof part === 'bigint') return `${part}n`
    if (Object.is(part, -0)) return '-0'
    if (typeof part !== 'object' || part === null) return String(part)
    const known = numbers.get(part)
    if (known !== undefined) return `#${known}`
    numbers.set(part, numbers.size)
    return `#${numbers.size - 1}=${kindOf(part)}${contentOf(part)}`
  }
  const contentOf = (part: object): string => {
    if (types.isDate(part)) return String(part.getTime())
    if (types.isRegExp(part)) return `${part.source}/${part.flags}@${part.lastIndex}`
    if (types.isBoxedPrimitive(part)) return draw((part as { valueOf(): unknown }).valueOf())
    if (ArrayBuffer.isView(part)) return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('hex')
    if (types.isAnyArrayBuffer(part)) return Buffer.from(part).toString('hex')
    if (types.isMap(part)) return `(${[...part].map(([key, item]) => `${draw(key)} => ${draw(item)}`).join()})`
    if (types.isSet(part)) return `(${[...part].map(draw).join()})`
    let text = Array.isArray(part) ? `${part.length}:` : ''
    // Loops, because a value may have 1,000 levels.
    for (const key of Reflect.ownKeys(part)) {
      if (Array.isArray(part) && key === 'length') continue
      const { value: item, ...rest } = Object.getOwnPropertyDescriptor(part, key) as PropertyDescriptor
      const isUsual = rest.enumerable === true && rest.writable === true && rest.configurable === true
      text += `${JSON.stringify(String(key))}${isUsual ? '' : JSON.stringify(rest)}:${draw(item)},`
    }
    return `{${text}}`
  }
  return draw(value)
}

function kindOf(part: object): string {
  const prototype: unknown = Object.getPrototypeOf(part)
  const name = (prototype as { constructor?: { name?: string } } | null)?.constructor?.name ?? 'null'
  return name === 'Buffer' ? 'Uint8Array' : name
}
