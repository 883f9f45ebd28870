import { useId, type ReactNode } from 'react'
import { RadioCards } from '../../ui/RadioCards.tsx'

/** What a client is called and where it may work: the same for a new one and one that is there. */
export interface ClientChoice {
  readonly name: string
  readonly restricted: boolean
  readonly projects: readonly string[]
}

export const inputClass =
  'h-8 w-full rounded-[7px] border border-line-strong bg-raised px-2.5 text-13 text-ink placeholder:text-ink-3'

export function Field({
  label,
  hint,
  children,
}: {
  label: string
  hint?: ReactNode
  children: (id: string) => ReactNode
}) {
  const id = useId()
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-strong">
        {label}
      </label>
      {children(id)}
      {hint !== undefined && <p className="mt-1 text-12 text-ink-3">{hint}</p>}
    </div>
  )
}

export function ClientFields(props: {
  choice: ClientChoice
  /** Projects of the cluster, and those that it is restricted to already. */
  projects: readonly string[]
  onChange: (choice: ClientChoice) => void
  /** Why the restriction stays as it is. */
  fixed?: string | undefined
  type?: 'client' | 'metrics'
}) {
  const { choice, projects, onChange, fixed, type = 'client' } = props
  const everything =
    type === 'metrics'
      ? { title: 'All metrics', text: 'It reads the metrics of every project, and nothing else.' }
      : { title: 'Everything', text: 'It administers the cluster. Who has its key is as good as root on every server.' }
  const all = [...new Set([...projects, ...choice.projects])].toSorted()
  return (
    <>
      <Field label="Name" hint="As it is listed here and by incus config trust list.">
        {(id) => (
          <input
            id={id}
            className={inputClass}
            value={choice.name}
            maxLength={64}
            spellCheck={false}
            autoComplete="off"
            onChange={({ target }) => onChange({ ...choice, name: target.value })}
          />
        )}
      </Field>
      <div>
        <p className="mb-1 font-strong">What it may do</p>
        {fixed === undefined ? (
          <RadioCards
            legend="What it may do"
            choices={[
              { id: 'all', ...everything },
              { id: 'some', title: 'Only some projects', text: 'It sees nothing of the others.' },
            ]}
            chosen={choice.restricted ? 'some' : 'all'}
            onChoose={(id) => onChange({ ...choice, restricted: id === 'some' })}
          />
        ) : (
          <p className="text-ink-2">{fixed}</p>
        )}
      </div>
      {fixed === undefined && choice.restricted && (
        <fieldset>
          <legend className="mb-1 font-strong">Projects</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1.5">
            {all.map((project) => (
              <label key={project} className="flex items-center gap-2">
                <input
                  type="checkbox"
                  className="size-3.5 accent-(--accent)"
                  checked={choice.projects.includes(project)}
                  onChange={({ target }) =>
                    onChange({
                      ...choice,
                      projects: target.checked
                        ? [...choice.projects, project]
                        : choice.projects.filter((name) => name !== project),
                    })
                  }
                />
                {project}
              </label>
            ))}
            {all.length === 0 && <span className="text-ink-3">The projects are not known now.</span>}
          </div>
        </fieldset>
      )}
    </>
  )
}

/** What keeps a client from being asked for; undefined when nothing does. */
export function whyNotYet({ name, restricted, projects }: ClientChoice): string | undefined {
  if (name.trim() === '') return 'Give it a name first.'
  if (restricted && projects.length === 0) return 'Choose at least one project.'
  return undefined
}
