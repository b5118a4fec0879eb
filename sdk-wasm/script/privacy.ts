// `footfall-privacy.js`: defines `<footfall-privacy>`, which shows the visitor's choice and changes it.

import { register } from "./privacy/element";

register();
