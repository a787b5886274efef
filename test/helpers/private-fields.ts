import { Session } from 'node:inspector'

const session = new Session()
session.connect()

/**
 * The private fields (`#name`) of an object, read as a debugger does. The objects among the values are those themselves, not copies.
 */
export function privateFields(object: object): Map<string, unknown> {
  const passed: unknown[] = []
  const shared = globalThis as { privateFieldsOf?: unknown; passPrivateField?: unknown }
  shared.privateFieldsOf = object
  shared.passPrivateField = (value: unknown) => passed.push(value)
  const fields = new Map<string, unknown>()
  session.post('Runtime.evaluate', { expression: 'privateFieldsOf' }, (_, evaluated) => {
    const { objectId } = evaluated.result
    if (objectId === undefined) return
    session.post('Runtime.getProperties', { objectId, ownProperties: true }, (__, properties) => {
      const { privateProperties = [] } = properties as { privateProperties?: Property[] }
      for (const { name, value } of privateProperties) {
        if (value?.objectId === undefined) fields.set(name, value?.unserializableValue ?? value?.value)
        else {
          const functionDeclaration = 'function () { passPrivateField(this) }'
          session.post('Runtime.callFunctionOn', { objectId: value.objectId, functionDeclaration })
          fields.set(name, passed.pop())
        }
      }
    })
  })
  session.post('Runtime.releaseObjectGroup', { objectGroup: '' })
  return fields
}

interface Property {
  name: string
  value?: { objectId?: string; value?: unknown; unserializableValue?: string }
}
