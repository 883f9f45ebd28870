// The least a program between a browser and a member can do, to compare the console with: plain HTTP in, a kept TLS
// connection out, bytes passed on. No session, no rights, no record, no second member. One port per member.
//
//   node bare-proxy.ts CERTIFICATE-FILE HOST:PORT ...        prints the ports it listens on as a JSON array

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { pipeline } from 'node:stream'
import { Pool } from 'undici'
import { clusterTrust } from './member-trust.ts'

const [certificate = '', ...members] = process.argv.slice(2)
const trust = clusterTrust(readFileSync(certificate, 'utf8'))

console.log(JSON.stringify(await Promise.all(members.map((address) => listenFor(address)))))

async function listenFor(address: string): Promise<number> {
  const pool = new Pool(`https://${address}`, { connect: trust })
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers
    pool.request({ method: 'GET', path: request.url ?? '/', headers: { authorization } }).then(
      ({ statusCode, headers, body }) => {
        response.writeHead(statusCode, { ...headers })
        pipeline(body, response, () => undefined)
      },
      () => response.writeHead(502).end(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}
