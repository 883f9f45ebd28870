/**
 * Brings what opens later while the browser has nothing to do: it opens at once, and it still opens when the console has
 * gone away or was replaced by a newer one. The sign-in dialog above all is needed when nothing can be fetched.
 */
export async function preloadRest(): Promise<void> {
  try {
    await import('./SessionEnded.tsx')
    await Promise.all([
      import('./ProofDialog.tsx'),
      import('../components/DatabaseLoss.tsx'),
      import('../components/TargetMenu.tsx'),
      import('../components/MemberMenu.tsx'),
      import('../components/StateChangeDialog.tsx'),
      import('./CommandPalette.tsx'),
      import('./NavigationDrawer.tsx'),
      import('./PersonMenu.tsx'),
      import('./AlertPanel.tsx'),
      import('./ClusterMenu.tsx'),
      import('../components/ColumnMenu.tsx'),
      import('../components/FilterMenu.tsx'),
    ])
    await Promise.all([
      import('../features/overview/LatestHistory.tsx'),
      import('../features/members/MemberPage.tsx'),
      import('../features/members/MemberHealthPage.tsx'),
      import('../features/incidents/IncidentsPage.tsx'),
      import('../features/incidents/IncidentPage.tsx'),
      import('../components/OpenIncidentLink.tsx'),
      import('../features/certificates/CertificatesPage.tsx'),
      import('../features/trust/TrustPage.tsx'),
      import('../features/access-paths/AccessPathsPage.tsx'),
      import('../features/instances/InstancesPage.tsx'),
      import('../features/operations/OperationsPage.tsx'),
      import('../features/operations/OperationPage.tsx'),
      import('../features/events/EventsPage.tsx'),
    ])
  } catch {
    // Whatever did not come is asked for again when it is opened.
  }
}
