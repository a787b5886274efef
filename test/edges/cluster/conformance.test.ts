/** The cache's methods in a cluster of three, from the leader and from a node that follows. */
import { testNodeCases } from '../../helpers/cluster/node-cases.js'
import { threeNodes } from '../../helpers/cluster/three-nodes.js'

testNodeCases(24, threeNodes)
