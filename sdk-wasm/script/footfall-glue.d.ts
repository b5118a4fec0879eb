// Made by wasm-bindgen from `src/browser.rs`; `imports` and `begin` by the build.
declare module "footfall-glue" {
  export const imports: WebAssembly.Imports;
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function begin(): void;
  export function start(granted: boolean, byHash: boolean, context: string): string;
  export function stop(): void;
  export function grant(): void;
  export function describe(context: string): void;
  export function record(now: number, event: string): void;
  export function identify(user: string): void;
  export function reset(now: number): void;
  export function campaign(now: number, campaign: string): void;
  export function shown(url: string): void;
  export function moved(replaced: boolean): void;
  export function settled(url: string): string | undefined;
  export function mask(text: string): string;
  export function refresh(now: number): void;
  export function left(now: number): void;
  export function snapshot(now: number): string;
  export function flush(now: number): void;
  export function send(now: number): boolean;
  export function answered(now: number, status: number, askedMs: number, random: number, rejected: number): void;
  export function unsent(room: number, forGood: boolean): string;
  export function adopt(now: number, text: string): void;
  export function forget(now: number): void;
  export function status(): string;
}

// The same module as JavaScript.
declare module "footfall-twin" {
  export function instantiate(imports: WebAssembly.Imports): WebAssembly.Exports;
}

// The same module's bytes, in base64.
declare module "footfall-wasm" {
  const base64: string;
  export default base64;
}
