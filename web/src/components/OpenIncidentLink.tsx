import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { openIncidentsQuery } from '../api/incidents.ts'

/** Leads to the incident that a server is in; nothing while it is in none. */
export function OpenIncidentLink({ cluster, member }: { cluster: string; member: string }) {
  const open = useQuery(openIncidentsQuery(cluster)).data?.incidents.find((incident) => incident.member === member)
  if (open === undefined) return null
  return (
    <Link
      to="/clusters/$cluster/incidents/$incident"
      params={{ cluster, incident: open.id }}
      className="inline-flex h-8 items-center rounded-[7px] border border-line-strong bg-raised px-3 font-strong text-ink hover:bg-hover"
    >
      See incident
    </Link>
  )
}
