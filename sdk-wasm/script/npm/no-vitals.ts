// In place of `vitals.ts`: the package leaves web-vitals out, so that only who asks for them carries them.

export function measure(): void {
  throw new Error("give `vitals`, a function that imports @footfall/sdk/vitals");
}
