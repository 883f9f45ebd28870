import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { type StandInCluster, startStandInCluster } from '../../testing/stand-in/stand-in-cluster.ts'
import { loadConfig } from '../config.ts'
import { runMalleus } from './commands.ts'

let folder: string
let cluster: StandInCluster

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-cli-'))
  cluster = await startStandInCluster({ members: 2 })
})
afterEach(async () => {
  await cluster.close()
  await rm(folder, { recursive: true })
})

async function malleus(token: string, ...args: string[]) {
  let out = ''
  let err = ''
  const status = await runMalleus(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readToken: () => Promise.resolve(token),
    start: () => Promise.resolve(0),
    environment: { MALLEUS_CONFIG: path.join(folder, 'malleus.yaml') },
  })
  return { status, out, err }
}
const add = (token: string, ...more: string[]) => malleus(token, 'add-cluster', '--name', 'prod-eu', ...more)

function decoded(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token, 'base64').toString()) as Record<string, unknown>
}
function encoded(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString('base64')
}

describe('add-cluster', () => {
  it('makes the console known to the cluster, and prints what can be added to the configuration as it is', async () => {
    const { status, out, err } = await add(cluster.trustToken('malleus'))
    expect(err).toContain('took the token')
    expect(status).toBe(0)
    expect((await readdir(folder)).toSorted()).toEqual(['prod-eu.crt', 'prod-eu.key'])
    for (const file of await readdir(folder)) expect((await stat(path.join(folder, file))).mode & 0o777).toBe(0o600)

    const yaml = [
      'publicUrl: https://console.example.net',
      'oidc: { issuer: https://idp.example.net, clientId: malleus, clientSecret: x }',
      'clusters:',
      out,
    ].join('\n')
    await writeFile(path.join(folder, 'malleus.yaml'), yaml)
    const loaded = loadConfig({ file: path.join(folder, 'malleus.yaml') })
    expect(loaded).toMatchObject({ ok: true })
    const [added] = loaded.ok ? loaded.config.clusters : []
    expect(added).toMatchObject({
      name: 'prod-eu',
      trust: { kind: 'fingerprints', fingerprints: [cluster.fingerprint] },
      identity: { unrestricted: true },
    })
    expect(added?.members).toHaveLength(2)
    expect(added?.identity?.certificate).toBe(await readFile(path.join(folder, 'prod-eu.crt'), 'utf8'))
  })

  it('says that a certificate is restricted when the token was made so', async () => {
    const { status, out } = await add(cluster.trustToken('malleus', { restricted: true, projects: ['web'] }))
    expect(status).toBe(0)
    expect(out).not.toContain('unrestricted')
  })

  it('goes on to the next address when one does not answer', async () => {
    const token = decoded(cluster.trustToken('malleus'))
    const { status } = await add(encoded({ ...token, addresses: ['127.0.0.1:1', ...(token['addresses'] as string[])] }))
    expect(status).toBe(0)
  })

  it('takes a token that a terminal has wrapped', async () => {
    const wrapped = cluster.trustToken('malleus').replaceAll(/(.{40})/g, '$1\n  ')
    expect((await add(`\n${wrapped}\n`)).status).toBe(0)
  })
})

describe('add-cluster fails with a sentence and a code of its own, and leaves no file', () => {
  it.each([
    ['nothing', () => '', 3, 'not a trust token'],
    ['any text', () => 'hello', 3, 'not a trust token'],
    ['JSON that is no token', () => encoded({ a: 1 }), 3, 'not a trust token'],
    [
      'a token for a server',
      () => encoded({ server_name: 's4', secret: 'x', fingerprint: 'f', addresses: [] }),
      3,
      'for a server that joins',
    ],
    [
      'an expired token',
      () => encoded({ ...decoded(cluster.trustToken('malleus')), expires_at: '2020-01-01T00:00:00Z' }),
      4,
      'expired at 2020-01-01',
    ],
    [
      'addresses nobody answers at',
      () => encoded({ ...decoded(cluster.trustToken('malleus')), addresses: ['127.0.0.1:1'] }),
      5,
      'None of the addresses',
    ],
    [
      'another fingerprint',
      () => encoded({ ...decoded(cluster.trustToken('malleus')), fingerprint: '00'.repeat(32) }),
      6,
      'does not present the certificate',
    ],
    [
      'a wrong secret',
      () => encoded({ ...decoded(cluster.trustToken('malleus')), secret: 'guess' }),
      7,
      'refused the token',
    ],
  ])('%s', async (_, token, code, sentence) => {
    const { status, out, err } = await add(token())
    expect([status, err]).toEqual([code, expect.stringContaining(sentence)])
    expect(out).toBe('')
    expect(await readdir(folder)).toEqual([])
  })

  it('a token that was used', async () => {
    const token = cluster.trustToken('malleus')
    expect((await add(token)).status).toBe(0)
    const { status, err } = await malleus(token, 'add-cluster', '--name', 'again')
    expect([status, err]).toEqual([7, expect.stringContaining('it was used or withdrawn')])
    expect(await readdir(folder)).not.toContain('again.key')
  })

  it('files that are there already, before anything is sent', async () => {
    await writeFile(path.join(folder, 'prod-eu.key'), 'precious')
    const before = cluster.requests.length
    const { status, err } = await add(cluster.trustToken('malleus'))
    expect([status, err]).toEqual([9, expect.stringContaining('is there already')])
    expect(await readFile(path.join(folder, 'prod-eu.key'), 'utf8')).toBe('precious')
    expect(await readdir(folder)).toEqual(['prod-eu.key'])
    expect(cluster.requests).toHaveLength(before)
  })

  it('nothing is sent to who presents another certificate', async () => {
    cluster.replaceCertificate(selfSigned({ commonName: 'impostor' }))
    const token = encoded({ ...decoded(cluster.trustToken('malleus')), fingerprint: '11'.repeat(32) })
    const before = cluster.requests.length
    expect((await add(token)).status).toBe(6)
    expect(cluster.requests).toHaveLength(before)
  })

  it.each([
    ['without a name', ['add-cluster'], 'needs --name'],
    ['with a name that is none', ['add-cluster', '--name', 'a/b'], 'is not a name'],
    ['with another mode', ['add-cluster', '--name', 'x', '--mode', 'magic'], 'bearer or certificate'],
    ['without a command', [], 'A command is missing'],
    ['with another command', ['launch'], 'no command "launch"'],
    ['with another option', ['start', '--verbose'], "Unknown option '--verbose'. See malleus --help."],
  ])('%s', async (_, args, sentence) => {
    const { status, err } = await malleus('token', ...args)
    expect([status, err]).toEqual([2, expect.stringContaining(sentence)])
  })

  it('with the token as an argument, which is not said again', async () => {
    const { status, err } = await add('', 'eyJzZWNyZXQ')
    expect([status, err]).toEqual([2, expect.stringContaining('withdraw it')])
    expect(err).not.toContain('eyJzZWNyZXQ')
  })
})

describe('malleus', () => {
  it('--help tells all commands and codes, --version a version', async () => {
    expect((await malleus('', '--help')).out).toMatch(/start.*check-config.*add-cluster.*Exit status/s)
    expect((await malleus('', '--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('check-config lists every mistake and ends with 2', async () => {
    await writeFile(path.join(folder, 'malleus.yaml'), 'publicUrl: x\ncolour: red\n')
    const { status, err } = await malleus('', 'check-config')
    expect(status).toBe(2)
    expect(err).toMatch(/malleus\.yaml has \d+ mistakes:\n {2}/)
    expect(err).toContain('  colour: is not a setting')
    expect(err).toContain('  clusters: is missing')
  })

  it('check-config says when there is no file', async () => {
    const { status, err } = await malleus('', 'check-config', '--config', path.join(folder, 'other.yaml'))
    expect([status, err]).toEqual([2, expect.stringContaining('other.yaml does not exist')])
  })

  it('start gets the file that was asked for', async () => {
    let started = ''
    const terminal = {
      out: () => {},
      err: () => {},
      readToken: () => Promise.resolve(''),
      environment: {},
      start: (file: string) => {
        started = file
        return Promise.resolve(7)
      },
    }
    expect(await runMalleus(['start', '--config', '/etc/malleus.yaml'], terminal)).toBe(7)
    expect(started).toBe('/etc/malleus.yaml')
  })
})
