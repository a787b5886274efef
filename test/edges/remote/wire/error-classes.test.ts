/** Where a client comes from, the classes of its errors come from, too. */
import test from 'ava'
import * as cluster from '../../../../src/cluster.js'
import * as threads from '../../../../src/edges/threads/threads.js'
import * as errors from '../../../../src/errors.js'
import * as daybook from '../../../../src/index.js'
import * as processes from '../../../../src/processes.js'

const CLASSES = new Set(Object.values(errors.ERRORS).flatMap(({ classes }) => classes))

for (const [entry, exported] of Object.entries({ daybook, threads, processes, cluster }))
  test(`every class that an error on the wire may have is exported by ${entry}`, (t) => {
    for (const name of CLASSES) t.true(Reflect.get(exported, name) === Reflect.get(errors, name), name)
  })
