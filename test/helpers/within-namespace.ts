/** A cache or client in which everything that a namespace has is that of a namespace, so that its cases can run in there. */
export function withinNamespace<C extends { namespace(prefix: string): object }>(whole: C): C {
  const outer = whole.namespace('out*er:') as C // nested, with a character that is special in patterns
  const view = outer.namespace('[inner') as Record<PropertyKey, unknown>
  return new Proxy(whole, {
    get(_, name) {
      const from = (name in view ? view : whole) as Record<PropertyKey, unknown>
      const member = from[name]
      return typeof member === 'function' ? member.bind(from) : member
    },
  })
}
