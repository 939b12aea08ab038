// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "train/render.h"

namespace spiga::train {
namespace {

using torch::Tensor;

// Jobs that share a canvas size and can be drawn together.
using Group = std::vector<const RenderJob*>;

// One number of each job as a tensor [N, 1, 1, 1].
template <typename Get>
Tensor column(const Group& group, torch::Device device, Get&& get) {
  std::vector<float> values;
  for (const RenderJob* job : group) values.push_back(static_cast<float>(get(job->plan)));
  return torch::tensor(values).view({-1, 1, 1, 1}).to(device);
}

// All faces' pixels, each in the top left corner of a black square: [N, 3, side, side] float.
Tensor padded_pixels(const Group& group, std::int64_t side, torch::Device device) {
  Tensor pixels = torch::zeros({static_cast<std::int64_t>(group.size()), side, side, 3}, torch::kByte);
  for (std::size_t i = 0; i < group.size(); ++i) {
    const ImageView& face = group[i]->face;
    std::uint8_t* out = pixels[static_cast<std::int64_t>(i)].data_ptr<std::uint8_t>();
    for (int y = 0; y < face.height; ++y)
      std::memcpy(out + y * side * 3, face.data + y * face.stride_bytes,
                  static_cast<std::size_t>(face.width) * 3);
  }
  return pixels.to(device).permute({0, 3, 1, 2}).to(torch::kFloat);
}

// Where grid_sample looks (it counts from -1 to 1 over the source): [N, fine, fine, 2].
Tensor sampling_grid(const Group& group, std::int64_t source_side, std::int64_t fine, double step,
                     torch::Device device) {
  const Tensor places = (torch::arange(fine, torch::kFloat) + 0.5) * step;
  const Tensor u = places.view({1, 1, -1}).to(device), v = places.view({1, -1, 1}).to(device);
  const auto row = [&](auto&& a, auto&& b, auto&& t) {
    const auto value = [&](auto&& get) { return column(group, device, get).squeeze(3); };
    const auto map = [](const SamplePlan& plan) -> const geometry::Affine& { return plan.face_from_canvas; };
    const Tensor place = value([&](const SamplePlan& p) { return map(p).*a; }) * u +
                         value([&](const SamplePlan& p) { return map(p).*b; }) * v +
                         value([&](const SamplePlan& p) { return map(p).*t; });
    return place * (2.0 / static_cast<double>(source_side)) - 1;
  };
  using geometry::Affine;
  return torch::stack(
      {row(&Affine::xx, &Affine::xy, &Affine::tx), row(&Affine::yx, &Affine::yy, &Affine::ty)}, 3);
}

Tensor warp(const Group& group, int side, int samples, torch::Device device) {
  std::int64_t source_side = 1;
  for (const RenderJob* job : group)
    source_side = std::max<std::int64_t>({source_side, job->face.width, job->face.height});
  const Tensor pixels = padded_pixels(group, source_side, device);
  const Tensor grid = sampling_grid(group, source_side, std::int64_t{side} * samples, 1.0 / samples, device);
  const Tensor drawn = torch::grid_sampler_2d(pixels, grid, /*bilinear*/ 0, /*zeros outside*/ 0, false) / 255;
  return samples > 1 ? torch::avg_pool2d(drawn, samples) : drawn;
}

Tensor rectangle_pixels(const RenderJob& job) {
  const SamplePlan::Rectangle& r = job.plan.rectangle;
  if (!r.picture)
    return torch::tensor({r.bgr[0], r.bgr[1], r.bgr[2]}).view({3, 1, 1}).expand({3, r.height, r.width});
  const ImageView& picture = job.occluder;
  const Tensor all =
      torch::from_blob(const_cast<std::uint8_t*>(picture.data), {picture.height, picture.width, 3},
                       {picture.stride_bytes, 3, 1}, torch::kByte);
  const Tensor rows = torch::arange(r.picture_y, r.picture_y + r.height).clamp_max(picture.height - 1);
  const Tensor columns = torch::arange(r.picture_x, r.picture_x + r.width).clamp_max(picture.width - 1);
  return all.index_select(0, rows).index_select(1, columns).permute({2, 0, 1}).to(torch::kFloat) / 255;
}

void draw_rectangles(const Group& group, Tensor canvas) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    const SamplePlan::Rectangle& r = group[i]->plan.rectangle;
    if (r.width == 0 || r.height == 0) continue;
    canvas[static_cast<std::int64_t>(i)]
        .narrow(1, r.y, r.height)
        .narrow(2, r.x, r.width)
        .copy_(rectangle_pixels(*group[i]));
  }
}

Tensor change_hsv(const Group& group, const Tensor& canvas) {
  const auto device = canvas.device();
  const Tensor b = canvas.narrow(1, 0, 1), g = canvas.narrow(1, 1, 1), r = canvas.narrow(1, 2, 1);
  const Tensor high = canvas.amax(1, true), span = high - canvas.amin(1, true);
  const Tensor per_span = 1 / torch::where(span > 0, span, torch::ones_like(span));
  const Tensor of_red = (g - b) * per_span;
  const Tensor of_other = torch::where(high == g, (b - r) * per_span + 2, (r - g) * per_span + 4);
  Tensor hue = torch::where(high == r, torch::where(of_red < 0, of_red + 6, of_red), of_other);
  hue = (hue * column(group, device, [](const SamplePlan& p) { return p.hsv[0]; })).clamp_max(6);
  const Tensor saturation = (span / torch::where(high > 0, high, torch::ones_like(high)) *
                             column(group, device, [](const SamplePlan& p) {
                               return p.hsv[1];
                             })).clamp(0, 1);
  const Tensor value =
      (high * column(group, device, [](const SamplePlan& p) { return p.hsv[2]; })).clamp(0, 1);
  const auto channel = [&](double n) {
    const Tensor k = torch::remainder(hue + n, 6);
    return value - value * saturation * torch::minimum(k, 4 - k).clamp(0, 1);
  };
  const Tensor changed = torch::cat({channel(1), channel(3), channel(5)}, 1);
  const Tensor wanted = column(group, device, [](const SamplePlan& p) {
    return p.hsv != std::array<float, 3>{1, 1, 1} ? 1 : 0;
  });
  return torch::where(wanted > 0, changed, canvas);
}

Tensor change_colours(const Group& group, Tensor canvas) {
  const auto device = canvas.device();
  canvas = change_hsv(group, canvas);
  std::vector<Tensor> casts;
  for (std::size_t c = 0; c < 3; ++c)
    casts.push_back(column(group, device, [c](const SamplePlan& p) { return p.cast[c]; }));
  canvas = (canvas * torch::cat(casts, 1)).clamp(0, 1);
  const Tensor weights = torch::tensor({0.114F, 0.587F, 0.299F}).view({1, 3, 1, 1}).to(device);
  const Tensor grey = (canvas * weights).sum(1, true).expand_as(canvas);
  return torch::where(column(group, device, [](const SamplePlan& p) { return p.grey ? 1 : 0; }) > 0, grey,
                      canvas);
}

Tensor blur(const Group& group, const Tensor& canvas) {
  const std::int64_t side = canvas.size(2);
  std::vector<Tensor> weights;
  for (std::size_t t = 0; t < 5; ++t)
    weights.push_back(
        column(group, canvas.device(), [t](const SamplePlan& p) { return blur_weights(p.blur)[t]; }));
  const auto along = [&](const Tensor& in, std::int64_t dim) {
    const Tensor padded = torch::replication_pad2d(
        in, dim == 3 ? std::vector<std::int64_t>{2, 2, 0, 0} : std::vector<std::int64_t>{0, 0, 2, 2});
    Tensor sum = padded.narrow(dim, 0, side) * weights[0];
    for (std::int64_t t = 1; t < 5; ++t)
      sum += padded.narrow(dim, t, side) * weights[static_cast<std::size_t>(t)];
    return sum;
  };
  return along(along(canvas, 3), 2);
}

Tensor add_noise(const Group& group, const Tensor& canvas) {
  const std::span<const float> table = noise_table();
  const auto size = static_cast<std::int64_t>(table.size());
  const auto device = canvas.device();
  const Tensor values = torch::from_blob(const_cast<float*>(table.data()), {size}, torch::kFloat).to(device);
  std::vector<std::int64_t> offsets;
  for (const RenderJob* job : group) offsets.push_back(job->plan.noise_offset);
  const Tensor first = torch::tensor(offsets, torch::kLong).view({-1, 1}).to(device);
  const Tensor places = (first + torch::arange(canvas[0].numel(), first.options())).remainder(size);
  const Tensor noise = values.index_select(0, places.flatten()).view_as(canvas);
  const Tensor strength = column(group, device, [](const SamplePlan& p) { return p.noise; });
  return torch::where(strength > 0, (canvas + noise * strength).clamp(0, 1), canvas);
}

// Quantisation steps of every job's luminance or chrominance: [N, 1, 1, 1, 8, 8]; 1 where it is not coded.
Tensor quantisation(const Group& group, bool chrominance, torch::Device device) {
  std::vector<Tensor> steps;
  for (const RenderJob* job : group)
    steps.push_back(torch::tensor(jpeg_steps(std::max(job->plan.jpeg_quality, 1), chrominance)));
  return torch::stack(steps).view({-1, 1, 1, 1, 8, 8}).to(device);
}

Tensor code_jpeg(const Group& group, const Tensor& canvas) {
  const auto device = canvas.device();
  const std::int64_t n = canvas.size(0), blocks = canvas.size(2) / 8;
  const Tensor forward =
      torch::tensor({0.114F, 0.587F, 0.299F, 0.5F, -0.331264F, -0.168736F, -0.081312F, -0.418688F, 0.5F})
          .view({3, 3})
          .to(device);
  const Tensor backward =
      torch::tensor({1.0F, 1.772F, 0.0F, 1.0F, -0.344136F, -0.714136F, 1.0F, 0.0F, 1.402F})
          .view({3, 3})
          .to(device);
  const Tensor shift = torch::tensor({128.0F, 0.0F, 0.0F}).view({1, 3, 1, 1}).to(device);
  const Tensor ycc = torch::einsum("dc,nchw->ndhw", {forward, 255 * canvas}) - shift;
  const Tensor dct = torch::tensor(dct_matrix()).view({8, 8}).to(device);
  const Tensor steps = torch::cat({quantisation(group, false, device), quantisation(group, true, device),
                                   quantisation(group, true, device)},
                                  1);
  const Tensor cut = ycc.reshape({n, 3, blocks, 8, blocks, 8}).permute({0, 1, 2, 4, 3, 5});
  const Tensor coded = torch::round(torch::matmul(torch::matmul(dct, cut), dct.t()) / steps) * steps;
  const Tensor restored =
      torch::matmul(torch::matmul(dct.t(), coded), dct).permute({0, 1, 2, 4, 3, 5}).reshape(canvas.sizes());
  const Tensor result = (torch::einsum("dc,nchw->ndhw", {backward, restored + shift}) / 255).clamp(0, 1);
  const Tensor wanted = column(group, device, [](const SamplePlan& p) { return p.jpeg_quality > 0 ? 1 : 0; });
  return torch::where(wanted > 0, result, canvas);
}

Tensor draw(const Group& group, int samples, int size, torch::Device device) {
  const int side = group.front()->plan.side;
  const auto any = [&](auto&& is_wanted) {
    return std::ranges::any_of(group, [&](const RenderJob* job) { return is_wanted(job->plan); });
  };
  Tensor canvas = warp(group, side, samples, device);
  draw_rectangles(group, canvas);
  canvas = change_colours(group, canvas);
  if (any([](const SamplePlan& p) { return p.blur > 1; })) canvas = blur(group, canvas);
  if (any([](const SamplePlan& p) { return p.noise > 0; })) canvas = add_noise(group, canvas);
  if (any([](const SamplePlan& p) { return p.jpeg_quality > 0; })) canvas = code_jpeg(group, canvas);
  return side == size ? canvas : torch::upsample_bilinear2d(canvas, {size, size}, false);
}

}  // namespace

Tensor render_tensors(std::span<const RenderJob> jobs, int size, torch::Device device) {
  torch::NoGradGuard no_grad;
  std::map<std::pair<int, int>, std::vector<std::int64_t>> groups;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    groups[{jobs[i].plan.side, jobs[i].plan.supersample}].push_back(static_cast<std::int64_t>(i));
  Tensor images =
      torch::empty({static_cast<std::int64_t>(jobs.size()), 3, size, size},
                   torch::TensorOptions().device(device).memory_format(torch::MemoryFormat::ChannelsLast));
  for (const auto& [key, members] : groups) {
    Group group;
    for (const std::int64_t i : members) group.push_back(&jobs[static_cast<std::size_t>(i)]);
    images.index_copy_(0, torch::tensor(members, torch::kLong).to(device),
                       draw(group, key.second, size, device));
  }
  return images;
}

}  // namespace spiga::train
