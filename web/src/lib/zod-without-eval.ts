import { z } from 'zod'

// Without this zod asks whether it may compile code, which the content security policy refuses and reports. It has to be
// said before the first schema is made: main.tsx imports this first, and vite.config.ts keeps it in one chunk with zod.
z.config({ jitless: true })
