import path from 'node:path'

import { firstLoad } from './tools/first-load.mjs'

const dist = path.join(import.meta.dirname, 'web/dist')
const { scripts, styles } = firstLoad(dist)
const inDist = (files) => files.map((file) => path.join('web/dist', file))

export default [
  { name: 'JavaScript to the list of servers', path: inDist(scripts), limit: '230 kB', gzip: true },
  { name: 'CSS to the list of servers', path: inDist(styles), limit: '15 kB', gzip: true },
]
