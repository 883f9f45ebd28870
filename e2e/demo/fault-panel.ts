import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { World } from '../support/world.ts'
import { faults, isFault } from '../support/world.ts'

// A page to break a server on purpose and to mend it, so that one can watch what the console says. Only for the demo.

export interface FaultPanel {
  readonly url: string
  close(): Promise<void>
}

export async function startFaultPanel(world: World, port: number): Promise<FaultPanel> {
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(error instanceof Error ? error.message : 'failed')
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://localhost:${portOf(server)}`, close: () => closed(server) }
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET' && request.url === '/') {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    })
    response.end(page(world))
    return
  }
  // Another site's page must not be able to press these buttons.
  if (request.method !== 'POST' || request.headers['sec-fetch-site'] !== 'same-origin') {
    response.writeHead(403, { 'content-type': 'text/plain' }).end('Use the buttons of this page.')
    return
  }
  const [, member, act] = (request.url ?? '').split('/').map(decodeURIComponent)
  if (member === undefined || act === undefined || !world.members.includes(member)) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such server.')
    return
  }
  if (act === 'mend') await world.mend(member)
  else if (isFault(act) && world.faults.includes(act)) await world.break(member, act)
  response.writeHead(303, { location: '/' }).end()
}

function page(world: World): string {
  const broken = world.broken()
  const rows = world.members.map((member) => {
    const fault = broken.get(member)
    const state = fault === undefined ? '<b class="good">✓ works</b>' : `<b class="bad">✕ ${fault}</b>`
    const buttons = world.faults.map((name) => button(member, name, faults[name], fault === name)).join('')
    return `<tr><th>${escape(member)}</th><td>${state}</td><td>${buttons}${button(member, 'mend', 'works again', fault === undefined)}</td></tr>`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Break a server</title>
<meta name="viewport" content="width=device-width"><style>
:root{color-scheme:light dark;font:14px/20px system-ui,sans-serif}body{max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:20px;margin:0}p{opacity:.75;margin:.25rem 0 1.5rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.5rem .75rem .5rem 0;border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}
form{display:inline}button{font:inherit;padding:.2rem .6rem;margin:.1rem .2rem .1rem 0;border-radius:6px;cursor:pointer;
border:1px solid color-mix(in srgb,currentColor 25%,transparent);background:transparent;color:inherit}
button:disabled{opacity:.35;cursor:default}.good{color:light-dark(#0a7d55,#4cc38a)}.bad{color:light-dark(#b91c1c,#ff8a80)}
</style></head><body><h1>Break a server</h1><p>${escape(world.description)}. Watch what the console says.</p>
<table>${rows.join('')}</table></body></html>`
}

function button(member: string, act: string, title: string, disabled: boolean): string {
  const action = `/${encodeURIComponent(member)}/${act}`
  return `<form method="post" action="${action}"><button title="${escape(title)}"${disabled ? ' disabled' : ''}>${act}</button></form>`
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
