import { describe, expect, test } from 'vitest'
import { deriveEntry } from './debian-sources.ts'

const derive = (...files: { path: string; text: string }[]) => deriveEntry(files, 'bookworm', 'bookworm-backports')

describe('the entry for another suite', () => {
  test("is a copy of the machine's Debian entry", () => {
    const text = `Types: deb
# a remark
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`
    expect(derive({ path: '/etc/apt/sources.list.d/debian.sources', text })).toEqual({
      extension: 'sources',
      text: `Types: deb
Suites: bookworm-backports
URIs: http://mirror.example/debian
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    })
  })

  test('keeps a key that is written out, and architectures', () => {
    const text = `Types: deb deb-src
URIs: https://mirror.example/debian/
Suites: bookworm
Components: main contrib
Architectures: amd64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEX
 -----END PGP PUBLIC KEY BLOCK-----`
    expect(derive({ path: 'a.sources', text })?.text).toBe(`Types: deb
Suites: bookworm-backports
URIs: https://mirror.example/debian/
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEX
 -----END PGP PUBLIC KEY BLOCK-----
Architectures: amd64
`)
  })

  test('is understood in the one-line format', () => {
    const text = `# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main contrib # remark
deb http://mirror.example/debian bookworm-updates main
`
    expect(derive({ path: '/etc/apt/sources.list', text })).toEqual({
      extension: 'list',
      text: 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm-backports main contrib\n',
    })
  })

  test('comes from Debian, not from somebody who names suites after it', () => {
    const stranger = { path: 'vendor.list', text: 'deb http://vendor.example/linux/debian bookworm main\n' }
    const own = {
      path: 'debian.sources',
      text: 'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n',
    }
    expect(derive(stranger, own)?.text).toContain('mirror.example')
    expect(derive(own, stranger)?.text).toContain('mirror.example')
  })

  test.each([
    ['a disabled entry', 'Enabled: no\nTypes: deb\nURIs: http://m/debian\nSuites: bookworm\nComponents: main\n'],
    ['sources only', 'Types: deb-src\nURIs: http://m/debian\nSuites: bookworm\nComponents: main\n'],
    ['another release', 'Types: deb\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n'],
    ['an entry without main', 'Types: deb\nURIs: http://m/linux/debian\nSuites: bookworm\nComponents: stable\n'],
  ])('is not made from %s', (_what, text) => {
    expect(derive({ path: 'a.sources', text })).toBeUndefined()
  })
})
