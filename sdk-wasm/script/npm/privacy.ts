// `@footfall/sdk/privacy`: the element, once the site asks for it.

export { register } from "../privacy/element";
