/* purchase: the customer wants to buy, subscribe or pay. */
#include "data/templates.h"

enum { N = AS_TONE_NEGATIVE, O = AS_TONE_NEUTRAL, P = AS_TONE_POSITIVE, ANY = AS_TONE_ANY };
#define CORES (const as_synth_core[])
#define LIST (const char *const[])

static const as_synth_topic topics[] = {
    {"buy",
     CORES{
         {ANY, "I [want|would like|'d like] to [buy|order|get|purchase] {a_product}."},
         {ANY, "[can|could] I [buy|order|get] [the|your] {product} [here|online|from you]?"},
         {O, "[buy|order] {a_product}"},
         {ANY, "please [send|put aside|reserve] {count} of the {product} for me, I will take them."},
         {O | P, "I am [ready|going] to order the {product} [today|now|right away]."},
         {P, "I [absolutely |]need this {product} in my life, [take my money|I am buying it]!"},
         {O | P, "I have decided [on|for] the {product}, how do we proceed?"},
         {N, "I have been trying to buy the {product} for {wait} and it is always sold out."},
         {O | P, "we would like to order {count} units of the {product} for our [office|school|club]."},
         {ANY, "I'll take the {product} in {color}[, size {size}|]."},
         {O, "need {a_product}, [asap|as soon as possible|by {day}]."},
         {0, NULL},
     },
     LIST{
         "I have [put|placed] {the_product} in your basket; you can [pay|check out] here: {{checkout_link}}.",
         "{the_product} is [in stock|available]. [Choose|Click] \"Buy now\" on {{product_page}} and it [ships|leaves "
         "us] "
         "{{ship_date}}.",
         "you can order {the_product} here: {{product_page}}. If you confirm, I will place the order for you.",
         NULL,
     }},
    {"plan",
     CORES{
         {ANY, "I want to [buy|get|have|order] the {plan}."},
         {ANY, "[sign me up|please sign me up] for the {plan}[, please|]."},
         {ANY, "how [can|do] I [subscribe to|sign up for|get] the {plan}?"},
         {O | P, "I'd like to upgrade [my account |my subscription |]to the {plan}."},
         {O, "{plan} please"},
         {P, "the {plan} looks [perfect|fantastic|great], I want it!"},
         {N, "why can't I just buy the {plan}, the button does nothing."},
         {O | P, "my [team|family] wants to join the {plan} with {count} people, how do I pay?"},
         {O, "please renew my {plan} for another year."},
         {0, NULL},
     },
     LIST{
         "the {plan_name} costs {{plan_price}} a month; you can start it here: {{plan_link}}.",
         "I can [start|activate] the {plan_name} for you right away. Please confirm the price of {{plan_price}}.",
         "[open|go to] \"My account\", then \"Plans\", and choose the {plan_name}. It is active at once.",
         NULL,
     }},
    {"checkout",
     CORES{
         {O, "I have {count} things in my [basket|cart] and want to [check out|pay]."},
         {ANY, "how [can|do] I [complete|finish|place] my order [for the {product} |]?"},
         {N, "the checkout [rejects|refuses] my card and I really want [this|the] {product}."},
         {ANY, "I [want|would like] to pay for the {product} [by card|by invoice|in instalments|with a gift card]."},
         {O, "[please add|add] {a_product} to my [basket|cart]."},
         {O | P, "can you [add|put] {a_other_product} to my order [as well|too] before I pay?"},
         {N, "[third|second] attempt to pay for the {product}, let me give you my money already."},
         {P, "the {product} is in my basket and I am so excited to order it!"},
         {0, NULL},
     },
     LIST{
         "your basket is saved. [Go to|Open] {{checkout_link}}, choose how to pay and confirm; you get a mail at once.",
         "we take cards, bank transfer and invoice. At the last step choose what suits you and "
         "confirm.",
         "I have [reserved|set aside] {the_product} for 24 hours, so you can finish the payment at {{checkout_link}} "
         "without hurry.",
         NULL,
     }},
    {"gift",
     CORES{
         {ANY, "I [want|would like|am looking] to [buy|order] {a_product} as a [birthday|christmas|wedding|farewell] "
               "present."},
         {O, "can you gift wrap the {product} if I order it [today|now]?"},
         {P, "my [daughter|son|partner] will be over the moon, please sell me one {product} with gift wrapping!"},
         {N, "I have to order a present [today|now] and your site will not let me choose the {product}."},
         {O | P, "I am buying the {product} as a present, send it to a different address[, please|]."},
         {0, NULL},
     },
     LIST{
         "what a nice idea! Tick \"Gift wrapping\" in the basket and add a card text; {the_product} [ships|leaves] "
         "{{ship_date}}.",
         "of course we can send it to another address: enter it at checkout under \"Deliver to\".",
         NULL,
     }},
    {"gift card",
     CORES{
         {ANY, "I [want|need|would like] a gift card over {amount}."},
         {O, "[buy|order] a gift card for {amount}"},
         {ANY, "can I [buy|get] a gift card for a [friend|colleague|nephew] [here|from you]?"},
         {P, "a gift card of yours is the perfect present, I'll take one over {amount}!"},
         {N, "let me just buy a gift card over {amount}, the form refuses every amount I enter."},
         {0, NULL},
     },
     LIST{
         "gift cards are at {{gift_card_link}} and arrive by mail within minutes.",
         "I have put the gift card in your basket; pay at {{checkout_link}} and it is in your mail at once.",
         NULL,
     }},
    {"repeat",
     CORES{
         {ANY, "I [want|would like] to [reorder|order again] the {product} I [had|bought|got] {when}."},
         {P, "the {product} is so good that I [want|need] a second one!"},
         {O, "same order as {when} again[, please|]."},
         {O | P, "can I get {count} more of the {product}, same {color} as before?"},
         {N, "I want to order the {product} again, but why is it so hard to find it in my account?"},
         {O, "please place order {order} once more."},
         {0, NULL},
     },
     LIST{
         "under \"My orders\" you find {your_order}; \"Order again\" puts the same items in your basket.",
         "I have prepared the same items once more; please confirm here: {{checkout_link}}.",
         NULL,
     }},
    {NULL, NULL, NULL},
};

const as_synth_intent as_synth_purchase = {"purchase", {14, 54, 32}, topics};
