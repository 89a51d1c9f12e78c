/* inquiry: the customer wants to know something before deciding. */
#include "data/templates.h"

enum { N = AS_TONE_NEGATIVE, O = AS_TONE_NEUTRAL, P = AS_TONE_POSITIVE, ANY = AS_TONE_ANY };
#define CORES (const as_synth_core[])
#define LIST (const char *const[])

static const as_synth_topic topics[] = {
    {"price",
     CORES{
         {ANY, "how much [is the {product}|does the {product} cost]?"},
         {ANY, "what [is the price of|do I pay for] the {product}?"},
         {O, "price of the {product}?"},
         {ANY, "is there a [discount|student price|bulk price] for the {product}?"},
         {N, "why is the {product} {amount} when it was half that last [week|month]?"},
         {O | P, "will the {product} be cheaper [in the sale|on {day}|next month]?"},
         {P, "the {product} looks [gorgeous|fantastic|great], what does it cost?"},
         {0, NULL},
     },
     LIST{
         "{the_product} costs {{price}}, tax included. Members pay {{member_price}}.",
         "at the moment the price is {{price}}; the next sale [starts|begins] {{sale_date}}.",
         "you find all prices, also for larger numbers, at {{price_list_link}}.",
         NULL,
     }},
    {"plans",
     CORES{
         {ANY, "what is included in the {plan}?"},
         {O, "what is the difference between the {plan} and the free one?"},
         {O, "price of the {plan}?"},
         {ANY, "can I [leave|pause] the {plan} at any time[, if I take it|]?"},
         {P, "the {plan} sounds [great|tempting], how much is it a month?"},
         {N, "nobody can tell me what the {plan} really costs, can you?"},
         {0, NULL},
     },
     LIST{
         "the {plan_name} costs {{plan_price}} a month and can be ended at any time; all about it is at {{plan_link}}.",
         "the {plan_name} includes {{plan_features}}. The table at {{plan_link}} compares all of them.",
         NULL,
     }},
    {"stock",
     CORES{
         {ANY, "do you [have|sell|carry] {a_product}[ in {color}|]?"},
         {ANY, "is the {product} [available|in stock|on the shelf] in [size {size}|{color}|your {city} shop]?"},
         {ANY, "when [will|do] you [have|get] the {product} [back |]in stock[ again|]?"},
         {N, "is the {product} ever going to be available again or should I give up?"},
         {O, "how many of the {product} do you have left?"},
         {P, "I saw the {product} at a friend's place and loved it, do you have it in {color}?"},
         {0, NULL},
     },
     LIST{
         "yes, {the_product} is in stock: {{stock_count}} pieces today.",
         "{the_product} comes back on {{restock_date}}; \"Notify me\" on {{product_page}} sends you a mail then.",
         "our shop in {city_or_town} has it too; you can look at {{store_stock_link}} before you come.",
         NULL,
     }},
    {"features",
     CORES{
         {ANY, "does the {product} [work with|fit|connect to] my {device}?"},
         {O, "what are the [dimensions|measurements] of the {product}?"},
         {ANY, "can you tell me [more about|something about|the details of] the {product}?"},
         {ANY, "is the {product} [waterproof|dishwasher safe|made of leather|suitable for children|vegan]?"},
         {O, "how long does the battery of the {product} last?"},
         {ANY,
          "which is better for [a small flat|travelling|a beginner|my parents], the {product} or the {other_product}?"},
         {N, "your description of the {product} says nothing about its size, how big is it?"},
         {P, "the {product} sounds amazing, does it come with [a case|a charger|spare parts]?"},
         {0, NULL},
     },
     LIST{
         "the data sheet at {{product_page}} has all measurements of {the_product}; {{feature_answer}}.",
         "{the_product} {{feature_answer}}. In the box are the device, a cable and a manual.",
         "good question: {{feature_answer}}. I have added it to the description of {the_product}.",
         NULL,
     }},
    {"shipping",
     CORES{
         {ANY, "do you [ship|deliver|send] to [{country}|{city}|an island|a pickup point]?"},
         {ANY, "how much is [shipping|delivery] to [{city}|{country}]?"},
         {O, "how long does [shipping|delivery] [usually |normally |]take?"},
         {ANY, "is there [express|next day|weekend] delivery if I were to order?"},
         {N, "why do you charge {amount} for shipping such a small thing, is there no other way?"},
         {P, "I would love to shop with you from {country}, do you ship here?"},
         {O, "which companies do you ship with?"},
         {0, NULL},
     },
     LIST{
         "we [ship|deliver] to {city_or_town} in {{shipping_days}} days; it costs {{shipping_price}} and nothing above "
         "{{free_shipping_from}}.",
         "standard delivery takes {{shipping_days}} days, express one day. You choose at checkout.",
         NULL,
     }},
    {"policy",
     CORES{
         {ANY, "what is your return policy[ for sale items|]?"},
         {ANY, "how long is the [warranty|guarantee] on the {product}?"},
         {ANY, "how many days [would I|do I] have to [return|send back] the {product}[ if I bought it|]?"},
         {N, "your terms are impossible to read, how many days do I have to send something back?"},
         {0, NULL},
     },
     LIST{
         "you have 30 days to send things back, and the warranty is two years. The terms in short: {{policy_link}}.",
         "for {the_product} the warranty is two years, and within 30 days you can send it back.",
         NULL,
     }},
    {"payment",
     CORES{
         {O, "which ways to pay do you [accept|offer]?"},
         {ANY, "[can|could] one pay [in instalments|by invoice|on delivery|with two cards] at your shop?"},
         {ANY, "do you [have|offer] a [loyalty programme|student discount|points card]?"},
         {P, "I am thinking of becoming a regular, [do you have|is there] a loyalty programme?"},
         {N, "why is there no way to pay by invoice, or did I not see it?"},
         {0, NULL},
     },
     LIST{
         "we accept cards, bank transfer, invoice and gift cards; in instalments from {{instalment_minimum}} on.",
         "yes, members collect points with every order: {{loyalty_link}}.",
         NULL,
     }},
    {"shop",
     CORES{
         {ANY, "can I [see|try] the {product} in a shop before I buy it?"},
         {O, "what are your opening hours [on {weekday}|in {city}|at the weekend]?"},
         {ANY, "do you have a shop in {city}?"},
         {P, "I would love to visit you, is the shop in {city} open on {weekday}?"},
         {N, "your page gives no opening hours at all, when is the shop in {city} open?"},
         {0, NULL},
     },
     LIST{
         "our shop is open Monday to Saturday from 9 to 19; the address is {{store_address}}.",
         "the nearest shop is at {{store_address}}, and {the_product} is on show there.",
         NULL,
     }},
    {NULL, NULL, NULL},
};

const as_synth_intent as_synth_inquiry = {"inquiry", {12, 66, 22}, topics};
