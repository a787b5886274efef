/** Python as the judge: its own `pickle` reads what we write, and writes what we read. */
import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'

const isThere = spawnSync('python3', ['--version']).status === 0

/** A test that needs python3; where that is missing, it is skipped and says so in its title. */
export function pythonTest(title: string, body: (t: ExecutionContext) => void | Promise<void>): void {
  if (isThere) test(title, body)
  else test.skip(`${title} (skipped: python3 is missing)`, body)
}

/** Runs a script with `input` on its stdin; returns its stdout. */
export function runPython(script: string, input: Uint8Array | string = ''): string {
  const done = spawnSync('python3', ['-X', 'utf8', '-c', script], { input, maxBuffer: 2 ** 30 })
  if (done.status !== 0) throw new Error(`python3 failed: ${done.stderr}`)
  return done.stdout.toString('utf8')
}

/**
 * Python that prints every pickle of stdin as JSON, in the form that {@link describe} gives to a JavaScript value. Both of
 * Python's unpicklers read it: the one in C, and the one in Python, which is strict about frames.
 */
export const DESCRIBE = `
import sys, io, json, pickle, struct, datetime
sys.setrecursionlimit(20000)
def dumps(v): return json.dumps(v, separators=(',', ':'))
def text(s): return s.encode('utf-16-be', 'surrogatepass').hex()
def describe(v, seen):
    t = type(v)
    if v is None: return ['None']
    if t is bool: return ['bool', v]
    if t is int: return ['int', hex(v)]
    if t is float: return ['float', struct.pack('>d', v).hex() if v == v else 'nan']
    if t is str: return ['str', text(v)]
    if t is bytes: return ['bytes', v.hex()]
    if t is datetime.datetime:
        assert v.tzinfo is datetime.timezone.utc, v
        return ['datetime', v.strftime('%m-%dT%H:%M:%S.%f'), v.year]
    if t is tuple: return ['tuple', [describe(x, seen) for x in v]]
    if t is frozenset: return ['frozenset', sorted(dumps(describe(x, seen)) for x in v)]
    if id(v) in seen: return ['seen', seen[id(v)]]
    seen[id(v)] = len(seen)
    if t is list: return ['list', [describe(x, seen) for x in v]]
    if t is dict: return ['dict', [[describe(k, seen), describe(x, seen)] for k, x in v.items()]]
    if t is set: return ['set', sorted(dumps(describe(x, seen)) for x in v)]
    raise TypeError(t)
data = io.BytesIO(sys.stdin.buffer.read())
out = []
while data.tell() < len(data.getbuffer()):
    start = data.tell()
    value = describe(pickle.load(data), {})
    end = data.tell()
    data.seek(start)
    assert dumps(describe(pickle._load(data), {})) == dumps(value) and data.tell() == end
    out.append(value)
print(dumps(out))
`

/** What Python should print for a JavaScript value that was written: see {@link DESCRIBE}. */
export function describe(value: unknown, isKey = false, seen = new Map<object, number>()): unknown[] {
  if (value === null) return ['None']
  if (typeof value === 'boolean') return ['bool', value]
  if (typeof value === 'bigint') return ['int', hex(value)]
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return ['int', hex(BigInt(value))]
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return ['float', Number.isNaN(value) ? 'nan' : bytes.toString('hex')]
  }
  if (typeof value === 'string') return ['str', Buffer.from(value, 'utf16le').swap16().toString('hex')]
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')]
  if (value instanceof Date) {
    const iso = value.toISOString()
    return ['datetime', `${iso.slice(-19, -1)}000`, value.getUTCFullYear()]
  }
  const items = (values: Iterable<unknown>, inKey: boolean) => [...values].map((item) => describe(item, inKey, seen))
  const sorted = (values: Iterable<unknown>) =>
    items(values, true)
      .map((item) => JSON.stringify(item))
      .sort()
  if (isKey && Array.isArray(value)) return ['tuple', items(value, true)]
  if (isKey && value instanceof Set) return ['frozenset', sorted(value)]
  const known = seen.get(value as object)
  if (known !== undefined) return ['seen', known]
  seen.set(value as object, seen.size)
  if (Array.isArray(value)) return ['list', items(value, false)]
  if (value instanceof Set) return ['set', sorted(value)]
  const pairs = value instanceof Map ? value : Object.entries(value as object)
  return ['dict', [...pairs].map(([key, held]) => [describe(key, true, seen), describe(held, false, seen)])]
}

function hex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
}
