/** The parameters by which advertisers name a campaign or a click; a click's name one person. */
export const CLICK_IDS = /^(utm_\w+|[dg]clid|[gw]braid|fbclid|msclkid|ttclid|twclid|li_fat_id)$/;
