import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type StandInCluster, startStandInCluster } from '../../testing/stand-in/stand-in-cluster.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runMalleus } from './commands.ts'

let folder: string
let cluster: StandInCluster

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-front-'))
  cluster = await startStandInCluster({ members: 3 })
  const { out } = await malleus('add-cluster', '--name', 'prod')
  // Of the three, the configuration names the first: the others are what the cluster tells.
  const onlyFirst = out.replace(/members: \[([^,\]]+)[^\]]*\]/, 'members: [$1]')
  const yaml = [
    'publicUrl: https://console.example.net',
    'oidc: { issuer: https://idp.example.net, clientId: malleus, clientSecret: x }',
    'clusters:',
    onlyFirst,
  ]
  await writeFile(path.join(folder, 'malleus.yaml'), yaml.join('\n'))
})
afterEach(async () => {
  await cluster.close()
  await rm(folder, { recursive: true })
})

async function malleus(...args: string[]) {
  let [out, err] = ['', '']
  const status = await runMalleus(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readToken: () => Promise.resolve(cluster.trustToken('malleus')),
    start: () => Promise.resolve(0),
    environment: { MALLEUS_CONFIG: path.join(folder, 'malleus.yaml') },
  })
  return { status, out, err }
}

describe('front', () => {
  it('prints a configuration for the servers that the cluster names now', async () => {
    const { status, out, err } = await malleus('front', 'haproxy', '--cluster', 'prod', '--address', '10.20.0.2')
    expect(err).toBe('')
    expect(status).toBe(0)
    for (const name of ['server1', 'server2', 'server3'])
      expect(out).toMatch(new RegExp(`^  server ${name} 127\\.`, 'm'))
    expect(out).toContain('core.https_trusted_proxy=10.20.0.2')
  })

  it('prints it for those of the configuration while no server answers, and says so', async () => {
    for (const member of cluster.members) await cluster.break(member, 'refusing')
    const { status, out, err } = await malleus('front', 'dns', '--address', 'incus.example.net')
    expect(status).toBe(0)
    expect(err).toContain('No server told who belongs to the cluster')
    expect(out).toContain('incus.example.net. 60 IN A 127.')
  })

  it.each([
    [['front'], 'front needs a kind: haproxy'],
    [['front', 'haproxy', '--cluster', 'other'], 'There is no cluster "other": prod.'],
    [['front', 'haproxy', '--address', '$(reboot)'], 'neither a name nor an address'],
    [['front', 'haproxy', 'nginx'], '"nginx" is too much'],
  ])('is not done for %j', async (args, words) => {
    const { status, out, err } = await malleus(...args)
    expect(status).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(words)
  })
})
