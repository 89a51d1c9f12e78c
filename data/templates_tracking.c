/* tracking: the customer wants to know where something is that is on its way. */
#include "data/templates.h"

enum { N = AS_TONE_NEGATIVE, O = AS_TONE_NEUTRAL, P = AS_TONE_POSITIVE, ANY = AS_TONE_ANY };
#define CORES (const as_synth_core[])
#define LIST (const char *const[])

static const as_synth_topic topics[] = {
    {"where",
     CORES{
         {ANY, "where is my [order|parcel|package|delivery|{product}]?"},
         {ANY, "[can|could] you [tell me|find out] where [order {order}|my parcel|the {product}] is [now|right now|]?"},
         {O, "[track|status of|where is] order {order}"},
         {ANY, "I [want|would like|need] to [track|follow] [my order|order {order}|my parcel]."},
         {O, "what is the status of [my order|order {order}|my delivery]?"},
         {N, "where on earth is my {product}, the page has said \"on its way\" for {wait}."},
         {P, "I am so looking forward to my {product}, where is it at the moment?"},
         {O | P, "has order {order} [left|been shipped|been sent] yet?"},
         {0, NULL},
     },
     LIST{
         "{your_order} is at {{current_location}} now and [should reach you|arrives] on {{delivery_date}}.",
         "you can follow {your_order} here: {{tracking_link}}.",
         "{your_order} left our warehouse on {{ship_date}} and is with the carrier.",
         NULL,
     }},
    {"eta",
     CORES{
         {ANY, "when [will|does] [my order|order {order}|my parcel|my {product}] arrive?"},
         {ANY, "will [my order|order {order}|the {product}] [be here|arrive|come] [by|before|on] {day}?"},
         {O, "at what time does {carrier} come on {day}?"},
         {O | P, "how many [more |]days until my {product} is delivered?"},
         {N, "you promised [my order|order {order}] for {day}, so when does it really come?"},
         {P, "the {product} was shipped so fast, will I have it by {day}?"},
         {O, "I ordered {when}, when can I expect the delivery?"},
         {0, NULL},
     },
     LIST{
         "{your_order} [arrives|will be with you] on {{delivery_date}} between {{delivery_window}}.",
         "the carrier announces {your_order} for {{delivery_date}}; on the day you get a message with the hour.",
         NULL,
     }},
    {"number",
     CORES{
         {ANY, "[can|could] you send me the tracking [number|code|link] [for order {order}|of my parcel|]?"},
         {ANY, "the tracking [number|link] [does not work|shows nothing|is unknown to {carrier}]."},
         {O, "no tracking number for order {order} yet?"},
         {O, "what is the [tracking|shipment|parcel] number of order {order}?"},
         {N, "the tracking page is [useless|a bad joke], it has not changed for {wait}."},
         {P, "thanks for sending the {product} so quickly, is there a tracking link?"},
         {0, NULL},
     },
     LIST{
         "the tracking number of {your_order} is {{tracking_number}}: {{tracking_link}}.",
         "the number becomes active when the carrier scans the parcel, usually the next morning. Then "
         "{{tracking_link}} shows it.",
         NULL,
     }},
    {"late",
     CORES{
         {N, "[my order|order {order}|my {product}] should have [been here|arrived] {when}, where is it?"},
         {ANY, "it has been {wait} and [my order|order {order}|the {product}] is not here[ yet|], any news?"},
         {N, "still no sign of [my parcel|order {order}|the {product}], where does it hang around?"},
         {O, "[my parcel|order {order}] is stuck [at customs|in {city}|in the depot] since {day}, can you check?"},
         {O | P, "no hurry, but is there news about the delivery of my {product}?"},
         {N, "delivery was moved to {day} again, where is the parcel now?"},
         {0, NULL},
     },
     LIST{
         "{your_order} is delayed at {{current_location}}; the carrier now names {{delivery_date}}.",
         "I have asked the carrier to look for {your_order} and will write to you by {{answer_date}}.",
         NULL,
     }},
    {"lost",
     CORES{
         {ANY, "the tracking says [delivered|\"delivered\"], but I [don't have|have not received] [the parcel|my "
               "{product}|anything]."},
         {N, "{carrier} left my {product} [who knows where|with a stranger], where can I find it?"},
         {O, "which neighbour [took|has] my parcel?"},
         {P, "such a nice courier, but the {product} that he says he delivered is nowhere, can you ask him?"},
         {0, NULL},
     },
     LIST{
         "the carrier notes that {your_order} was left at {{drop_place}}. If it is not there, we send it again.",
         "the carrier has been asked where {your_order} was left and answers by {{answer_date}}.",
         NULL,
     }},
    {"pickup",
     CORES{
         {ANY, "at which [pickup point|post office|shop] [is|can I collect] [my parcel|order {order}]?"},
         {ANY, "the card says my parcel is [at a neighbour's|at a shop|in a locker], which one?"},
         {P, "your driver was so kind to leave a note, only where do I pick up the {product}?"},
         {N, "nobody rang, and now I have to guess where my parcel can be picked up."},
         {O, "until when can I pick up order {order}?"},
         {0, NULL},
     },
     LIST{
         "{your_order} waits for you at {{pickup_point}} until {{pickup_deadline}}.",
         "the code for the locker at {{pickup_point}} is {{pickup_code}}.",
         NULL,
     }},
    {"parts",
     CORES{
         {ANY, "only [one|<1-2>] of <3-5> parcels [came|arrived], where is the rest?"},
         {ANY, "part of order {order} is [missing|not here yet], is it [coming|on its way] separately?"},
         {N, "half of order {order} came, and the other half travels around the world or what?"},
         {0, NULL},
     },
     LIST{
         "{your_order} travels in several parcels; the next arrives on {{delivery_date}}.",
         "the rest of {your_order} left us on {{ship_date}}: {{tracking_link}}.",
         NULL,
     }},
    {"refund status",
     CORES{
         {O, "where is the parcel I sent back {when}, has it [reached|arrived at] your warehouse?"},
         {ANY, "can you check whether my [return|parcel] has [arrived|been scanned] [at your end|]?"},
         {N, "I sent the {product} back {wait} ago and can't see where it is."},
         {O, "what is the status of the shipment to your return centre?"},
         {0, NULL},
     },
     LIST{
         "your parcel reached our warehouse on {{arrival_date}}; the money follows within five days.",
         "the carrier shows your parcel at {{current_location}}; as soon as it is here you get a mail.",
         NULL,
     }},
    {NULL, NULL, NULL},
};

const as_synth_intent as_synth_tracking = {"tracking", {32, 54, 14}, topics};
