import { fileURLToPath } from 'node:url'

/** Options for the console's Node that write a CPU profile into `results/` when it ends; none when it is not wanted. */
export function profiling(wanted: boolean, name: string): readonly string[] {
  if (!wanted) return []
  const folder = fileURLToPath(new URL('results/', import.meta.url))
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.${process.pid}.cpuprofile`]
}
