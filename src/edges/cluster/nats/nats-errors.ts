/** What errors of NATS mean: which are conflicts, which refuse for certain, and what a user is to do about one while opening. */
import { JetStreamApiError } from '@nats-io/jetstream'
import { errors, type NatsConnection } from '@nats-io/transport-node'
import { CacheError, reasonOf } from '../../../errors.js'
import type { NatsNames } from './nats-names.js'
import { forbidden, violationIn } from './nats-permissions.js'

/** The server is alone, and more than one replica was asked for. */
const NO_REPLICAS = 10074
const WRONG_LAST_SEQUENCE = [10071, 10164]

export function isWrongSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(error.code)
}

/** The server has answered that it did not do it; after any other error it may have. */
export function isRefused(error: unknown): error is JetStreamApiError {
  return error instanceof JetStreamApiError && (error.status < 500 || error.code === NO_REPLICAS)
}

/** While servers elect a leader, or start: it may be otherwise in a moment. */
export function isTemporary(error: unknown): boolean {
  if (violationIn(error) !== undefined) return false
  if (error instanceof JetStreamApiError) return !isRefused(error) || error.message.includes('peer offline')
  return error instanceof errors.TimeoutError || (error instanceof errors.RequestError && !isUnserved(error))
}

export function isUnserved(error: unknown): boolean {
  return (
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders() === true)
  )
}

/** The class of the one is not exported; 10039: not for this account. */
function isNotEnabled(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === 10039
  return error instanceof Error && (error.name === 'JetStreamNotEnabled' || isUnserved(error))
}

/** What a user may not do, with what to do about it; undefined for other errors. */
export function refusal(
  error: unknown,
  servers: string,
  names: NatsNames,
  consequence?: string,
): CacheError | undefined {
  const violation = violationIn(error)
  if (violation !== undefined) return forbidden(violation, names, consequence)
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return new CacheError('ENGINE_UNAVAILABLE', `The NATS server at ${servers} does not accept the credentials`, {
      ...(consequence === undefined ? {} : { consequence }),
      advice:
        'Pass the credentials of a user of the account that is to hold the cache to nats(): user and pass, token or authenticator.',
      cause: error,
    })
  return undefined
}

/** Why the log cannot be opened, with what to do. */
export function openingError(error: unknown, servers: string, names: NatsNames): unknown {
  if (error instanceof CacheError || error instanceof TypeError) return error
  const refused = refusal(error, servers, names)
  if (refused !== undefined) return refused
  const options = { cause: error }
  if (isNotEnabled(error))
    return new CacheError('ENGINE_UNAVAILABLE', `JetStream is not enabled on the NATS server at ${servers}`, {
      ...options,
      advice: 'Start nats-server with -js and a store_dir, and enable JetStream for the account.',
    })
  if (error instanceof JetStreamApiError && error.code === NO_REPLICAS)
    return new CacheError('ENGINE_REFUSED', `The NATS servers at ${servers} cannot keep that many replicas`, {
      ...options,
      advice: 'Start as many servers as one NATS cluster, or pass replicas: 1 to nats().',
    })
  if (isRefused(error) && !isTemporary(error))
    return new CacheError('ENGINE_REFUSED', `The NATS server at ${servers} refuses: ${reasonOf(error)}`, options)
  return new CacheError('ENGINE_UNAVAILABLE', `NATS does not answer at ${servers}: ${reasonOf(error)}`, options)
}

export const OLDEST_VERSION = '2.9.0'

export function checkVersion(connection: NatsConnection): void {
  const version = connection.info?.version ?? '0'
  if (compareVersions(version, OLDEST_VERSION) >= 0) return
  throw new CacheError(
    'ENGINE_REFUSED',
    `The NATS server has version ${version}; ${OLDEST_VERSION} is the oldest supported`,
    {
      advice: 'Use a newer nats-server.',
    },
  )
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map(Number))
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
