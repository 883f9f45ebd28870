/**
 * A text of at most so many characters: its beginning, and its end, where programs say what went wrong. Secrets have to
 * be out of it before, because what is left of one that was cut in two looks like none.
 */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const begin = Math.floor(most / 4)
  return `${text.slice(0, begin)}${gap}${text.slice(text.length - (most - begin - gap.length))}`
}

const gap = ' … '
