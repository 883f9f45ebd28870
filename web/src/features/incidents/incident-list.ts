import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'

/** The sentence above the list: what goes on, and how many there were. */
export function describeIncidents(incidents: readonly IncidentSummary[], more: boolean): string {
  const open = incidents.filter(({ end }) => end === null)
  const listed = more ? `The latest ${incidents.length} are listed.` : count(incidents.length)
  const [only] = open
  if (only === undefined) return incidents.length === 0 ? 'Nothing goes on.' : `Nothing goes on. ${listed}`
  const now = open.length === 1 ? `${only.member} is in one now.` : `${open.length} servers are in one now.`
  return `${now} ${listed}`
}

function count(incidents: number): string {
  return incidents === 1 ? 'One incident is listed.' : `${incidents} incidents are listed.`
}
