/** The same configuration file with further settings of its one cluster, each line as it stands below the cluster. */
export function withClusterSettings(yaml: string, lines: readonly string[]): string {
  if (lines.length === 0) return yaml
  const indent = /^( +)trust:/m.exec(yaml)?.[1]
  if (indent === undefined) throw new Error('there is no cluster in the configuration')
  return `${yaml.trimEnd()}\n${lines.map((line) => `${indent}${line}\n`).join('')}`
}
