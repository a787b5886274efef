/** One case of one topic, in a process of its own: nothing that ran before has shaped its heap or its inline caches. */
import { TOPICS } from '../contests/topics.mjs'

const { topic, params, context } = JSON.parse(process.argv[2])
process.once('disconnect', () => process.exit(1)) // whoever wanted the rows is gone
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const rows = await TOPICS.find(({ name }) => name === topic).run(params, context)
process.send(rows, () => process.exit(0))
