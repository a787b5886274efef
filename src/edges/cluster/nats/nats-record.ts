/** A record as a message: its body is the payload, the rest are headers. */
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node'
import type { LogRecord } from '../log.js'

const KIND = 'Daybook-Kind'
const EPOCH = 'Daybook-Epoch'
const NODE = 'Daybook-Node'

/** Without the body. */
export function headersOf({ kind, epoch, node }: LogRecord): MsgHdrs {
  const made = headers()
  made.set(KIND, kind)
  made.set(EPOCH, `${epoch}`)
  made.set(NODE, encodeURIComponent(node))
  return made
}

export function recordOf({ headers: found, data }: Pick<Msg, 'headers' | 'data'>): LogRecord {
  const node = found?.get(NODE) ?? ''
  return {
    kind: (found?.get(KIND) ?? '') as LogRecord['kind'],
    epoch: Number(found?.get(EPOCH)),
    node: decoded(node),
    body: data,
  }
}

/** A damaged name as it is: the checksum of the record will not match. */
function decoded(node: string): string {
  try {
    return decodeURIComponent(node)
  } catch {
    return node
  }
}
