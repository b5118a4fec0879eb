// The shop's own script. The shop works without it, but for the basket, which lives in the visitor's browser.

import { showBasket } from "./shop/basket-page.ts";
import { trackForms } from "./shop/forms.ts";
import { turnPages } from "./shop/journal.ts";
import { showPrivacy } from "./shop/privacy-page.ts";

showBasket(document);
trackForms(document);
turnPages(window);
showPrivacy(document);
