/**
 * What the user of a connection may do is tried before anything is made or read: a server reports a forbidden message only to the
 * connection, so that later calls would wait for an answer that never comes. Before: nats-log. After: the client library.
 */
import { errors, headers, type NatsConnection } from '@nats-io/transport-node'
import { CacheError } from '../../../errors.js'
import type { NatsNames } from './nats-names.js'

type Violation = InstanceType<typeof errors.PermissionViolationError>

/** Is the id of no stream and the address of no node. */
const NOBODY = '-'

/** @throws CacheError `ENGINE_REFUSED` that names what is forbidden. */
export async function checkPermissions(connection: NatsConnection, names: NatsNames): Promise<void> {
  const statuses = connection.status()[Symbol.asyncIterator]()
  const found = (async () => {
    for (;;) {
      const { done, value } = await statuses.next()
      if (done) return undefined
      if (value.type === 'error' && value.error instanceof errors.PermissionViolationError) return value.error
    }
  })()
  const address = names.addressed(NOBODY)
  const subscription = connection.subscribe(address, { callback: () => undefined })
  // A message for another stream than the one that has the subject is refused by it, and stored nowhere.
  const refused = headers()
  refused.set('Nats-Expected-Stream', NOBODY)
  for (const subject of [address, names.records, ...names.probes])
    connection.publish(subject, undefined, { headers: refused })
  try {
    await connection.flush()
    const violation = await Promise.race([found, connection.flush().then(() => undefined)])
    if (violation !== undefined) throw forbidden(violation, names)
  } finally {
    subscription.unsubscribe()
    void statuses.return?.() // once the next status comes
  }
}

/** The violation in an error, or in what caused it. */
export function violationIn(error: unknown): Violation | undefined {
  if (error instanceof errors.PermissionViolationError) return error
  return error instanceof Error && error.cause !== undefined ? violationIn(error.cause) : undefined
}

export function forbidden(violation: Violation, names: NatsNames, consequence?: string): CacheError {
  const { operation } = violation
  const isInbox = violation.subject.startsWith(`${names.inboxPrefix}.`)
  const subject = isInbox ? `${names.inboxPrefix}.>` : violation.subject // each has a name of its own
  const action = operation === 'publish' ? 'publish on' : 'subscribe to'
  return new CacheError('ENGINE_REFUSED', `The user of NATS has no permission to ${action} ${subject}`, {
    ...(consequence === undefined ? {} : { consequence }),
    advice: `Allow the user to publish on ${names.permissions.publish.join(', ')}, and to subscribe to ${names.permissions.subscribe.join(', ')}.`,
    cause: violation,
  })
}
