import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { useState } from 'react'
import { ApiError } from '../../api/api-error.ts'
import { useCancelOperation } from '../../api/kept-operations.ts'
import { useClusterName, useTarget } from '../../components/current.ts'
import { OperationProgress } from '../../components/OperationProgress.tsx'
import { operationDetail, operationName } from '../../components/operation-words.ts'
import { ProblemDetail } from '../../components/ProblemNotice.tsx'
import { Button } from '../../ui/Button.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { consequence, equivalentCommand } from './cancel-words.ts'

/** Asks before an operation is cancelled, then shows how that goes. */
export function CancelDialog(props: { operation: Operation; blockedBy: string | undefined; onClose: () => void }) {
  const { operation, blockedBy, onClose } = props
  const cluster = useClusterName()
  const cancelling = useCancelOperation(cluster, operation, useTarget())
  // One intention, however often it is pressed.
  const [key] = useState(() => crypto.randomUUID())
  const title = operationName(operation)

  if (cancelling.isPending || cancelling.isError || cancelling.isSuccess) {
    return (
      <Dialog title="Cancel the operation" onClose={onClose} footer={<Button onPress={onClose}>Close</Button>}>
        {cancelling.isError ? (
          <Failure error={cancelling.error} title={title} />
        ) : cancelling.isPending ? (
          <p className="after-200ms text-ink-2">Asking the cluster…</p>
        ) : (
          <div role="status" className="flex flex-col gap-3">
            <OperationProgress operation={operation} />
            <p className="text-ink-2">{howItWent(operation)}</p>
          </div>
        )}
      </Dialog>
    )
  }
  return (
    <Dialog
      title={`Cancel “${title}”?`}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>Let it run</Button>
          <Button tone="danger" disabledReason={blockedBy} onPress={() => cancelling.mutate(key)}>
            Cancel the operation
          </Button>
        </>
      }
    >
      <p>{consequence(operation)}</p>
      <p className="mt-3 flex min-w-0 items-center gap-1 rounded-md bg-sunken px-2 py-1">
        <code className="min-w-0 grow font-mono text-12 wrap-anywhere text-ink-2">
          {equivalentCommand(cluster, operation)}
        </code>
        <Copy text={equivalentCommand(cluster, operation)} what="the command" />
      </p>
    </Dialog>
  )
}

function howItWent(operation: Operation): string {
  if (operation.status === 'cancelled') return 'It has ended.'
  if (!isFinished(operation)) return 'Incus was asked to cancel it. It has ended when it says so here.'
  return `It had ended before. ${operationDetail(operation)}`.trimEnd()
}

function Failure({ error, title }: { error: Error; title: string }) {
  if (error instanceof ApiError && error.outcomeUnknown) {
    return (
      <Notice tone="warning" shape="question" alert headline="Nobody knows yet whether it was cancelled.">
        It was asked for, and no answer came back. It is not asked for again. The console looks for what became of it
        and tells you here as soon as it knows. <ProblemDetail error={error} />
      </Notice>
    )
  }
  return (
    <Notice tone="bad" shape="cross" alert headline={`Could not cancel “${title}”.`}>
      {error.message} <ProblemDetail error={error} />
    </Notice>
  )
}
