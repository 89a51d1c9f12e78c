/* return: the customer wants to undo a purchase: send back, exchange, cancel, have the money back. */
#include "data/templates.h"

enum { N = AS_TONE_NEGATIVE, O = AS_TONE_NEUTRAL, P = AS_TONE_POSITIVE, ANY = AS_TONE_ANY };
#define CORES (const as_synth_core[])
#define LIST (const char *const[])

static const as_synth_topic topics[] = {
    {"send back",
     CORES{
         {ANY, "I [want|would like|need] to [return|send back|give back] [the|my] {product}."},
         {ANY, "how [do|can] I [return|send back] [the {product}|order {order}|an item]?"},
         {O, "return order {order}"},
         {ANY, "[please send me|I need|where do I find] a return label[ for order {order}|]."},
         {O | P, "the {product} is too [big|small|heavy|loud] for [me|us], can I send it back?"},
         {N, "the {product} is nothing like the picture, I am sending it back."},
         {O, "I changed my mind about the {product}, [can|may] I return it?"},
         {P, "the {product} is beautiful, but I got two as presents, so one goes back to you."},
         {0, NULL},
     },
     LIST{
         "here is the label for {your_product}: {{return_label_link}}. Put it on the box and hand it in at any parcel "
         "shop.",
         "you can return {your_order} until {{return_deadline}}. \"Return\" under \"My orders\" prints the label.",
         NULL,
     }},
    {"refund",
     CORES{
         {ANY, "I [want|would like] [a refund|my money back] for [the {product}|order {order}]."},
         {ANY, "[can|could] you refund [me |][{amount}|order {order}|the {product}]?"},
         {O, "refund[ please| order {order}|]"},
         {N, "the {product} broke after <2-9> days, I want my money back [now|immediately|]."},
         {O, "I have not [got|received] my refund of {amount} yet."},
         {O | P, "to which account do you pay refunds?"},
         {N, "I returned the {product} {when} and still have no refund."},
         {P, "you are always so fair, could I have a refund for the {product} that does not suit me?"},
         {0, NULL},
     },
     LIST{
         "I have started the refund for {your_order}; {{refund_amount}} will be on your account within five days.",
         "as soon as {your_product} is back with us we pay {{refund_amount}} to the card you used.",
         NULL,
     }},
    {"exchange",
     CORES{
         {ANY, "I [want|would like|need] to exchange the {product} for [size {size}|a {color} one|a new one|another "
               "model]."},
         {ANY, "[can|could] I [swap|exchange|change] the {product} for {a_other_product}?"},
         {O, "wrong size, need {size} instead of the one I got"},
         {O | P, "the {product} does not fit, please exchange it[ for a larger one| for a smaller one|]."},
         {N, "you sent the {product} in {color}, that is not what I ordered, exchange it."},
         {P, "what a nice {product}, only a size too large, may I exchange it?"},
         {0, NULL},
     },
     LIST{
         "of course you can exchange {your_product}. I send the new one as soon as the carrier has scanned your "
         "return: "
         "{{return_label_link}}.",
         "choose \"Exchange\" in {{return_portal}} and the size or color you want; there is nothing to pay.",
         NULL,
     }},
    {"cancel",
     CORES{
         {ANY, "I [want|would like|need] to cancel [my order|order {order}|the order for the {product}]."},
         {O, "cancel [order {order}|my order][, please|]"},
         {ANY, "please [stop|cancel] order {order}, I [ordered it by mistake|no longer need it|found it elsewhere]."},
         {O | P, "is it [possible|still possible] to cancel [the {product}|order {order}] before it ships?"},
         {N, "cancel everything, I have waited {wait} and don't want the {product} any more."},
         {P, "all is fine with your service, I just need to cancel the {product} I ordered twice."},
         {0, NULL},
     },
     LIST{
         "{your_order} is cancelled; what you paid, {{refund_amount}}, goes back to your card.",
         "{your_order} has already left us. Please refuse it at the door, then we refund everything.",
         NULL,
     }},
    {"end plan",
     CORES{
         {ANY, "I want to [cancel|end|get out of] my {plan}."},
         {ANY, "please [cancel|stop] my {plan}, I [do not use it|no longer need it|can't afford it]."},
         {O, "cancel my {plan} and refund the rest of the [month|year]"},
         {N, "I was put on the {plan} without asking for it, cancel it and give me the money back."},
         {P, "the {plan} was great while it lasted, but please cancel it."},
         {0, NULL},
     },
     LIST{
         "your {plan_name} ends on {{plan_end_date}}; until then you can use all of it.",
         "I have cancelled the {plan_name} and refund {{refund_amount}} for the time that is left.",
         NULL,
     }},
    {"damaged",
     CORES{
         {N, "the {part} of the {product} is broken, I [want to|will] return it."},
         {ANY, "[the|my] {product} came with a [scratch|dent|broken {part}], how can I [return|exchange] it?"},
         {O, "item damaged on arrival, please tell me how to return it"},
         {N, "I got the wrong item, {a_other_product} instead of the {product}, take it back."},
         {O, "parts of the {product} are missing, can I send it back?"},
         {P, "the {product} is great but the {part} is loose, may I swap it for a sound one?"},
         {0, NULL},
     },
     LIST{
         "please send us a photo and use this free label: {{return_label_link}}. A new one leaves us today.",
         "you need not keep it: choose a refund or a new piece for {your_product} at {{return_portal}}.",
         NULL,
     }},
    {NULL, NULL, NULL},
};

const as_synth_intent as_synth_return = {"return", {38, 50, 12}, topics};
