/** Runs one case of one topic. It has its own process, so that earlier cases do not affect its heap and inline caches. */
import { TOPICS } from '../contests/topics.mjs'

const { topic, params, context } = JSON.parse(process.argv[2])
process.once('disconnect', () => process.exit(1)) // the parent is gone
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const rows = await TOPICS.find(({ name }) => name === topic).run(params, context)
process.send(rows, () => process.exit(0))
