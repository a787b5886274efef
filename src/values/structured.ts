/**
 * The structured clone algorithm, writing bytes: `v8.serialize`, except that it refuses memory that another thread could change
 * while it is read, and returns bytes that are nobody else's.
 */
import { types } from 'node:util'
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { ValueError } from '../errors.js'

export function serialize(value: unknown): Buffer {
  const writer = new CopyingSerializer()
  writer.writeHeader()
  writer.writeValue(value)
  return writer.releaseBuffer()
}

class CopyingSerializer extends DefaultSerializer {
  // Node's documented hook for host objects, with this name.
  override _writeHostObject(view: HostObject): void {
    refuseShared(view)
    super._writeHostObject(view)
  }
}

export function refuseShared({ buffer }: HostObject): void {
  if (!types.isSharedArrayBuffer(buffer)) return
  throw new ValueError(
    'Cannot store this value: it contains a view of a SharedArrayBuffer, whose bytes another thread may be changing',
    { advice: 'Store a copy, which slice() returns.' },
  )
}

export function deserialize(bytes: Uint8Array): unknown {
  const reader = new CopyingDeserializer(bytes)
  reader.readHeader()
  return reader.readValue()
}

type HostObject = NodeJS.ArrayBufferView

/** Node's deserializer returns typed arrays as views of its input, which is the cache's own memory. This one copies them. */
class CopyingDeserializer extends DefaultDeserializer {
  // Node's documented hook for host objects, with this name.
  override _readHostObject(): HostObject {
    const view = super._readHostObject()
    if (Buffer.isBuffer(view)) return Buffer.from(view)
    if (view instanceof DataView) {
      return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
    }
    return view.slice() as HostObject
  }
}

declare module 'node:v8' {
  interface DefaultSerializer {
    _writeHostObject(view: HostObject): void
  }
  interface DefaultDeserializer {
    _readHostObject(): HostObject
  }
}
