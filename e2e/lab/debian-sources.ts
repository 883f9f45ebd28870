// Where this machine gets Debian from, and the same place's entry for another suite. The mirror is the machine's own
// choice: no host is named here.

/** One file of /etc/apt/sources.list.d, or /etc/apt/sources.list. */
export interface SourcesFile {
  readonly path: string
  readonly text: string
}

/** A new entry, and the ending its file must have to be read in the right format. */
export interface DerivedEntry {
  readonly extension: 'sources' | 'list'
  readonly text: string
}

/** The machine's entry for Debian's `codename`, rewritten for `suite`. Undefined when it has none. */
export function deriveEntry(files: readonly SourcesFile[], codename: string, suite: string): DerivedEntry | undefined {
  const candidates = files.flatMap((file) =>
    file.path.endsWith('.sources')
      ? deb822Entries(file.text, codename, suite)
      : listEntries(file.text, codename, suite),
  )
  const [best] = candidates.toSorted((one, other) => other.likeness - one.likeness)
  return best?.entry
}

/** Others name their suites after Debian's too. `likeness` says how much an entry looks like Debian's own. */
interface Candidate {
  readonly entry: DerivedEntry
  readonly likeness: number
}

function deb822Entries(text: string, codename: string, suite: string): Candidate[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const lines = stanza.split('\n').filter((line) => !line.startsWith('#') && line.trim() !== '')
    const field = (name: string): string[] => {
      const start = lines.findIndex((line) => line.toLowerCase().startsWith(name + ':'))
      if (start === -1) return []
      const continued = lines.slice(start + 1).findIndex((line) => !/^\s/.test(line))
      const end = continued === -1 ? lines.length : start + 1 + continued
      return lines
        .slice(start, end)
        .join(' ')
        .slice(name.length + 1)
        .split(/\s+/)
        .filter((word) => word !== '')
    }
    if (!field('types').includes('deb') || field('enabled')[0]?.toLowerCase() === 'no') return []
    if (!field('suites').includes(codename) || !field('components').includes('main')) return []
    const kept = ['URIs', 'Components', 'Signed-By', 'Architectures', 'Trusted', 'Check-Valid-Until'].flatMap(
      (name) => {
        // A key may be written out in the entry; then the lines and the dots in it matter.
        const start = lines.findIndex((line) => line.toLowerCase().startsWith(name.toLowerCase() + ':'))
        if (start === -1) return []
        const rest = lines.slice(start + 1)
        const stop = rest.findIndex((line) => !/^\s/.test(line))
        return [lines[start] ?? '', ...(stop === -1 ? rest : rest.slice(0, stop))]
      },
    )
    const entry = { extension: 'sources' as const, text: ['Types: deb', `Suites: ${suite}`, ...kept].join('\n') + '\n' }
    return [
      {
        entry,
        likeness: likeness(
          field('uris').join(' '),
          field('signed-by').join(' '),
          field('suites').includes(`${codename}-updates`),
        ),
      },
    ]
  })
}

function listEntries(text: string, codename: string, suite: string): Candidate[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*$/, '').trim())
  return lines.flatMap((line) => {
    const parts = /^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line)
    if (parts === null) return []
    const [, options = '', uri = '', of = '', components = ''] = parts
    if (of !== codename || !components.split(/\s+/).includes('main')) return []
    const withUpdates = lines.some((other) => other.includes(uri) && other.includes(`${codename}-updates`))
    const entry = { extension: 'list' as const, text: `deb ${options}${uri} ${suite} ${components}\n` }
    return [{ entry, likeness: likeness(uri, options, withUpdates) }]
  })
}

function likeness(uri: string, signedBy: string, withUpdates: boolean): number {
  return (
    (withUpdates ? 4 : 0) +
    (signedBy.includes('debian-archive-keyring') ? 2 : 0) +
    (/\/debian\/?$/.test(uri.trim()) ? 1 : 0)
  )
}
