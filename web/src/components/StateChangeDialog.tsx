import type { Member } from '@malleus/shared/api/members.ts'
import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError } from '../api/api-error.ts'
import { useChangeMemberState, type StateChange } from '../api/members.ts'
import { operationListQuery } from '../api/operations.ts'
import { Button } from '../ui/Button.tsx'
import { Copy } from '../ui/Copy.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Notice } from '../ui/Notice.tsx'
import { StateMark } from '../ui/StateMark.tsx'
import { useCluster, useClusterName, useMemberList, useMembers, useTarget } from './current.ts'
import { OperationProgress } from './OperationProgress.tsx'
import { operationDetail, operationTitle } from './operation-words.ts'
import { ProblemDetail } from './ProblemNotice.tsx'
import { RadioCards } from '../ui/RadioCards.tsx'
import { targetTrouble } from './target-words.ts'
import {
  checksFor,
  consequence,
  equivalentCommand,
  evacuationModeWords,
  restoreModeWords,
  type ChangeKind,
  type Check,
  type EvacuationMode,
  type RestoreMode,
} from './state-change.ts'

/** Asks before a server is evacuated or restored, then shows how it goes and how it ended. */
export function StateChangeDialog(props: { member: Member; action: ChangeKind; onClose: () => void }) {
  const { action, onClose } = props
  const cluster = useClusterName()
  // As it is now, not as it was when the dialog opened.
  const member = useMembers().find(({ name }) => name === props.member.name) ?? props.member
  const [evacuation, setEvacuation] = useState<EvacuationMode>('')
  const [restoration, setRestoration] = useState<RestoreMode>('')
  const change: StateChange =
    action === 'evacuate' ? { action: 'evacuate', mode: evacuation } : { action: 'restore', mode: restoration }
  const target = useTarget()
  const list = useMemberList()
  const changing = useChangeMemberState(cluster, member.name, target)
  const started = changing.data?.operation
  const operations = useQuery(operationListQuery(cluster)).data?.operations
  const operation = operations?.find(({ id }) => id === started?.id) ?? started

  const enters = targetTrouble(target, list?.members ?? [], list?.groups ?? [])
  const checks: readonly Check[] = [
    ...checksFor(action, member, list?.members ?? [], useCluster(), change.mode),
    ...(enters === undefined ? [] : [{ verdict: 'cannot' as const, text: `${enters}, and it is your target.` }]),
  ]
  const blocked = checks.find(({ verdict }) => verdict === 'cannot')
  const verb = action === 'evacuate' ? 'Evacuate' : 'Restore'

  if (operation !== undefined || changing.isError || changing.isPending) {
    return (
      <Dialog
        title={`${verb} ${member.name}`}
        onClose={onClose}
        footer={
          changing.isError && !isUnknown(changing.error) ? (
            <>
              <Button onPress={onClose}>Close</Button>
              <Button tone="primary" onPress={() => changing.reset()}>
                Back
              </Button>
            </>
          ) : (
            <Button onPress={onClose}>
              {operation !== undefined && !isFinished(operation) ? 'Close, it goes on' : 'Close'}
            </Button>
          )
        }
      >
        {changing.isError ? (
          <Failure error={changing.error} what={`${verb.toLowerCase()} ${member.name}`} />
        ) : operation === undefined ? (
          <p className="after-200ms text-ink-2">Asking the cluster…</p>
        ) : (
          <Progress operation={operation} />
        )}
      </Dialog>
    )
  }

  return (
    <Dialog
      title={`${verb} ${member.name}?`}
      width="wide"
      onClose={onClose}
      footer={
        <>
          <Command text={equivalentCommand(cluster, member.name, action, change.mode)} />
          <Button onPress={onClose}>Cancel</Button>
          <Button
            tone={evacuation === 'force-stop' ? 'danger' : 'primary'}
            disabledReason={blocked?.text}
            onPress={() => changing.mutate(change)}
          >
            {verb} {member.name}
          </Button>
        </>
      }
    >
      <p className="mb-4">{consequence(action, member, change.mode)}</p>
      <div className="grid gap-5 md:grid-cols-[minmax(0,1fr)_260px]">
        {action === 'evacuate' ? (
          <RadioCards
            legend="How"
            choices={(list?.modes.evacuate ?? ['']).map((id) => ({ id, ...evacuationModeWords[id] }))}
            chosen={evacuation}
            onChoose={setEvacuation}
          />
        ) : (
          <RadioCards
            legend="How"
            choices={(list?.modes.restore ?? ['']).map((id) => ({ id, ...restoreModeWords[id] }))}
            chosen={restoration}
            onChoose={setRestoration}
          />
        )}
        <CheckRail checks={checks} />
      </div>
    </Dialog>
  )
}

const verdicts = {
  can: { tone: 'good', shape: 'check', word: 'Can' },
  'can-but': { tone: 'warning', shape: 'alert', word: 'Can, but' },
  cannot: { tone: 'bad', shape: 'cross', word: 'Cannot, because' },
} as const

function CheckRail({ checks }: { checks: readonly Check[] }) {
  return (
    <section aria-label="Checks" className="self-start rounded-[10px] border border-line bg-sunken px-3.5 py-3">
      <ul className="flex flex-col gap-2.5">
        {checks.map(({ verdict, text }) => (
          <li key={text} className="flex items-start gap-2">
            <span className="mt-1">
              <StateMark tone={verdicts[verdict].tone} shape={verdicts[verdict].shape} />
            </span>
            <span>
              <span className={verdict === 'can' ? 'sr-only' : 'font-strong'}>{verdicts[verdict].word}: </span>
              {text}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Command({ text }: { text: string }) {
  return (
    <span className="mr-auto flex min-w-0 items-center gap-1">
      <code className="min-w-0 truncate rounded-md bg-sunken px-2 py-1 font-mono text-12 text-ink-2">{text}</code>
      <Copy text={text} what="the command" />
    </span>
  )
}

function Progress({ operation }: { operation: Operation }) {
  return (
    <div role="status" className="flex flex-col gap-3">
      <OperationProgress operation={operation} />
      {isFinished(operation) ? (
        <p className="text-ink-2">
          {operation.status === 'success'
            ? 'It is done.'
            : `${operationTitle(operation)}. ${operationDetail(operation)}`}
        </p>
      ) : (
        <p className="text-ink-2">
          You can close this: it goes on by itself, and the strip at the bottom of every page shows how far it is.
        </p>
      )}
    </div>
  )
}

function Failure({ error, what }: { error: Error; what: string }) {
  if (isUnknown(error)) {
    return (
      <Notice tone="warning" shape="question" alert headline="Nobody knows yet whether it was done.">
        It was sent, and no answer came back. It is not sent again. The console looks for what became of it and tells
        you here as soon as it knows; the state of the server shows it too. <ProblemDetail error={error} />
      </Notice>
    )
  }
  return (
    <Notice tone="bad" shape="cross" alert headline={`Could not ${what}.`}>
      {error.message} <ProblemDetail error={error} />
    </Notice>
  )
}

function isUnknown(error: Error): boolean {
  return error instanceof ApiError && error.outcomeUnknown
}
