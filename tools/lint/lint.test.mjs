// Lints a small repository made of wrong and right snippets with the configuration of this one, so that a rule that
// silently stopped working is a failed test.

import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

const importing = (specifier) => `import { x } from '${specifier}'\nexport const y = [x]\n`

/** [the file, what stands in it, the rule that must object] */
const wrong = [
  // who may import whom
  ['shared/src/api/a.ts', importing('undici'), 'malleus(rooms)'],
  ['shared/src/api/b.ts', importing('node:fs'), 'malleus(rooms)'],
  ['shared/src/api/c.ts', importing('../../../server/src/lib/clock.ts'), 'malleus(rooms)'],
  ['server/src/lib/a.ts', importing('@malleus/shared/domain/target.ts'), 'malleus(rooms)'],
  ['server/src/gateway/a.ts', importing('../probes/prober.ts'), 'malleus(rooms)'],
  ['server/src/gateway/b.ts', importing('../session/session.ts'), 'malleus(rooms)'],
  ['server/src/probes/a.ts', importing('../gateway/gateway.ts'), 'malleus(rooms)'],
  ['server/src/health/a.ts', importing('../gateway/plan.ts'), 'malleus(rooms)'],
  ['server/src/health/b.ts', importing('node:fs'), 'malleus(rooms)'],
  ['server/src/health/c.ts', importing('lru-cache'), 'malleus(rooms)'],
  ['server/src/session/a.ts', importing('../gateway/gateway.ts'), 'malleus(rooms)'],
  ['server/src/audit/a.ts', importing('../session/session.ts'), 'malleus(rooms)'],
  ['server/src/http/a.ts', importing('../session/session.ts'), 'malleus(rooms)'],
  ['server/src/members/a.ts', importing('../certificates/certificates.ts'), 'malleus(rooms)'],
  ['server/src/members/b.ts', importing('../http/route.ts'), 'malleus(rooms)'],
  ['server/src/members/c.ts', importing('../app.ts'), 'malleus(rooms)'],
  ['server/src/members/d.ts', importing('../../testing/stand-in/stand-in.ts'), 'malleus(rooms)'],
  ['server/src/members/e.ts', importing('../probes/prober.ts'), 'malleus(rooms)'],
  ['server/src/lists/a.ts', importing('../health/health-board.ts'), 'malleus(rooms)'],
  ['server/src/cupboard/a.ts', importing('../lib/clock.ts'), 'malleus(rooms)'],
  ['server/testing/stand-in/a.ts', importing('../../src/gateway/gateway.ts'), 'malleus(rooms)'],
  ['web/src/features/members/a.ts', importing('../audit/audit-view.ts'), 'malleus(rooms)'],
  ['web/src/features/members/b.ts', importing('../../app/routes.tsx'), 'malleus(rooms)'],
  ['web/src/components/a.ts', importing('../features/members/member-view.ts'), 'malleus(rooms)'],
  ['web/src/ui/a.ts', importing('../components/HealthBadge.tsx'), 'malleus(rooms)'],
  ['web/src/ui/b.ts', importing('../api/members.ts'), 'malleus(rooms)'],
  ['web/src/ui/c.ts', importing('@malleus/shared/domain/health.ts'), 'malleus(rooms)'],
  ['web/src/api/a.ts', importing('../ui/Button.tsx'), 'malleus(rooms)'],
  ['web/src/lib/a.ts', importing('node:path'), 'malleus(rooms)'],
  ['web/src/app/a.ts', importing('../../../server/src/app.ts'), 'malleus(rooms)'],
  ['e2e/stories/a.spec.ts', importing('../../server/src/app.ts'), 'malleus(rooms)'],
  ['e2e/lab/a.ts', importing('@malleus/web/src/lib/paths.ts'), 'malleus(rooms)'],
  ['tools/a.mjs', importing('../server/src/app.ts'), 'malleus(rooms)'],

  // packages at the edge, whichever way they are imported
  ['server/src/members/f.ts', importing('express'), 'malleus(rooms)'],
  ['server/src/members/g.ts', `export const load = async () => import('express')\n`, 'malleus(rooms)'],
  ['server/src/members/h.ts', `export { Agent } from 'undici'\n`, 'malleus(rooms)'],
  ['server/src/gateway/c.ts', importing('undici'), 'malleus(rooms)'],
  ['server/src/session/b.ts', importing('openid-client'), 'malleus(rooms)'],
  ['server/src/audit/b.ts', importing('node:sqlite'), 'malleus(rooms)'],
  ['server/src/audit/audit-store.ts', importing('node:sqlite'), 'malleus(rooms)'],
  ['server/src/audit/c.ts', importing('kysely'), 'malleus(rooms)'],

  // trust and text
  ['server/src/gateway/d.ts', `export const options = { rejectUnauthorized: false }\n`, 'malleus(verified-tls)'],
  ['e2e/lab/b.ts', `export const options = { 'rejectUnauthorized': !1 }\n`, 'malleus(verified-tls)'],
  ['web/src/ui/d.ts', `export const set = (e: Element, t: string) => {\n  e.innerHTML = t\n}\n`, 'malleus(no-html)'],
  ['web/src/ui/E.tsx', `export const E = () => <p dangerouslySetInnerHTML={{ __html: 'x' }} />\n`, 'malleus(no-html)'],
  ['web/src/ui/f.ts', `export const s = (e: Element) => e.setAttribute('onclick', 'x')\n`, 'malleus(no-html)'],
  ['web/src/ui/g.ts', `export const f = (code: string): unknown => eval(code)\n`, 'eslint(no-eval)'],
  ['web/src/ui/h.ts', `export const f = (code: string): unknown => new Function(code)\n`, 'eslint(no-new-func)'],

  // types
  ['shared/src/domain/a.ts', `export const f = (x: any): number => x\n`, 'typescript(no-explicit-any)'],
  ['shared/src/domain/b.ts', `export const f = (x: unknown) => x as number\n`, 'typescript(no-unsafe-type-assertion)'],
  [
    'shared/src/domain/c.ts',
    `export const f = () => {\n  Promise.reject(new Error('x'))\n}\n`,
    'typescript(no-floating-promises)',
  ],
  ['shared/src/domain/d.ts', `import { f } from './e.ts'\nexport const g = () => f\n`, 'import(no-cycle)'],
  ['shared/src/domain/e.ts', `import { g } from './d.ts'\nexport const f = () => g\n`, 'import(no-cycle)'],
]

/** [the file, what stands in it]: nothing may object */
const right = [
  ['shared/src/domain/right.ts', importing('zod')],
  ['server/src/app.ts', importing('./http/server.ts')],
  ['server/src/http/server.ts', importing('express')],
  ['server/src/gateway/transport.ts', importing('undici')],
  ['server/src/lib/outbound.ts', importing('undici')],
  ['server/src/session/oidc.ts', importing('openid-client')],
  ['server/src/session/session-store.ts', importing('kysely')],
  ['server/src/audit/audit-store.sqlite.ts', importing('../database/sqlite.ts')],
  ['server/src/database/sqlite.ts', importing('node:sqlite')],
  ['server/src/probes/probe.ts', importing('../gateway/transport.ts')],
  ['server/src/health/health-board.ts', importing('../lib/subscribable.ts')],
  ['server/src/clusters/destinations.ts', importing('node:net')],
  ['server/src/members/evacuate.ts', importing('../gateway/gateway.ts')],
  ['server/src/members/routes.ts', importing('../http/route.ts')],
  ['server/src/members/routes.test.ts', importing('../../testing/test-app.ts')],
  ['server/src/access-paths/measure.ts', importing('../probes/probe.ts')],
  ['server/testing/test-app.ts', importing('../src/app.ts')],
  ['web/src/features/members/parts/Row.ts', importing('../member-view.ts')],
  ['web/src/features/members/member-view.ts', importing('../../api/members.ts')],
  ['web/src/ui/Button.tsx', importing('react-aria-components')],
  ['e2e/lab/lab.ts', importing('@malleus/server/testing/stand-in-idp.ts')],
  ['server/testing/listener.ts', `export const options = { requestCert: true, rejectUnauthorized: false }\n`],
  ['server/src/gateway/verified.ts', `export const options = { rejectUnauthorized: true }\n`],
]

let folder
let objections

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-lint-'))
  await copyFile(path.join(root, '.oxlintrc.json'), path.join(folder, '.oxlintrc.json'))
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  for (const [file, text] of [...wrong, ...right]) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
    await writeFile(path.join(folder, file), text)
  }
  await mkdir(path.join(folder, 'tools/lint'), { recursive: true })
  await copyFile(path.join(root, 'tools/lint/plugin.mjs'), path.join(folder, 'tools/lint/plugin.mjs'))
  await copyFile(path.join(root, 'tools/lint/rooms.mjs'), path.join(folder, 'tools/lint/rooms.mjs'))
  await copyFile(path.join(root, 'tsconfig.base.json'), path.join(folder, 'tsconfig.base.json'))
  await writeFile(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: './tsconfig.base.json', compilerOptions: { jsx: 'react-jsx', lib: ['es2024', 'dom'] } }),
  )
  objections = await lint(folder)
}, 60_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the lint rules', () => {
  test.each(wrong)('%s is refused', (file, text, rule) => {
    expect(objections.get(file), text).toContain(rule)
  })

  test.each(right)('%s is fine', (file) => {
    expect(objections.get(file)).toBeUndefined()
  })
})

/** file → the rules that object to it */
async function lint(where) {
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint')
  const output = await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [oxlint, '--format=json', 'shared', 'server', 'web', 'e2e', 'tools'],
      { cwd: where, maxBuffer: 1 << 26, timeout: 50_000 },
      (error, stdout, stderr) => {
        if (stdout.startsWith('{')) resolve(stdout)
        else reject(new Error(`oxlint said nothing we can read: ${stdout}${stderr}`, { cause: error }))
      },
    )
  })
  const found = new Map()
  for (const { filename, code } of JSON.parse(output).diagnostics) {
    found.set(filename, [...(found.get(filename) ?? []), code])
  }
  return found
}
