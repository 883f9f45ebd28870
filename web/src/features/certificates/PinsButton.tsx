import type { ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import { lazy, Suspense, useState } from 'react'
import { useMay } from '../../components/current.ts'
import { Button } from '../../ui/Button.tsx'

const PinsDialog = lazy(() => import('./PinsDialog.tsx').then((m) => ({ default: m.PinsDialog })))

export type Pins = Extract<ClusterCertificate['trust'], { kind: 'fingerprints' }>['pins']

/** Opens the question by which fingerprints the cluster is recognised. */
export function PinsButton({ cluster, pins }: { cluster: string; pins: Pins }) {
  const [open, setOpen] = useState(false)
  const { may, because } = useMay('certificate.pin')
  return (
    <>
      <Button size="small" opens="dialog" disabledReason={may ? undefined : because} onPress={() => setOpen(true)}>
        Change…
      </Button>
      {open && (
        <Suspense fallback={null}>
          <PinsDialog cluster={cluster} pins={pins} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
