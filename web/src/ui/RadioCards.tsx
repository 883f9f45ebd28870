/** One choice out of a few, each with what it does. Plain radio buttons: arrow keys and readers know them. */
export function RadioCards<Id extends string>(props: {
  legend: string
  choices: readonly { readonly id: Id; readonly title: string; readonly text: string }[]
  chosen: Id
  onChoose: (id: Id) => void
}) {
  const { legend, choices, chosen, onChoose } = props
  return (
    <fieldset>
      <legend className="sr-only">{legend}</legend>
      <div className="divide-y divide-line overflow-hidden rounded-[10px] border border-line">
        {choices.map(({ id, title, text }) => (
          <label key={id} className="flex items-start gap-3 px-3.5 py-2.5 hover:bg-hover has-checked:bg-accent-soft">
            <input
              aria-label={title}
              type="radio"
              name={legend}
              value={id}
              checked={id === chosen}
              onChange={() => onChoose(id)}
              className="mt-1 accent-accent"
            />
            <span>
              <strong>{title}</strong>
              <span className="block text-12 text-ink-2">{text}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
